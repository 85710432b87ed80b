import { findBatchNorm } from './find-batch-norm.ts';
import { findLogitNodes } from './find-logit-nodes.ts';
import { inferShapes } from './infer-shapes.ts';
import type { InheritedModel } from './inherit-weights.ts';
import type { Graph } from './model.ts';

/** A layer that student and teacher have in common. */
export interface Hint {
  /** Name of the node in both graphs. */
  readonly node: string;
  /** Of the student's channels: which of the teacher's each one is. */
  readonly channels: readonly number[];
  /** The teacher's channels. */
  readonly width: number;
}

/** More layers cost more than they tell. */
const MOST_HINTS = 8;

/**
 * Chooses layers at which a student that inherited its teacher's channels can be held to what the teacher computes there.
 *
 * Source: Romero et al., "FitNets: Hints for Thin Deep Nets", ICLR 2015. Deviation: no regressor stands between, as the
 * student's channels are some of the teacher's.
 *
 * @see chooseHintNodes
 */
export function chooseHints(teacher: Graph, { channels }: InheritedModel): Hint[] {
  const shapes = inferShapes(teacher);
  return chooseHintNodes(teacher).map((node) => {
    const { output } = shapes.get(node)!;
    return { node, channels: channels.get(node)!, width: output[output.length - 1] };
  });
}

/**
 * Names of the nodes that may be hints: what convolutions and dense layers give, behind their batch norm (and the pooling
 * before it) where there is one, but for the logits; at most 8, spread evenly over the network.
 */
export function chooseHintNodes(graph: Graph): string[] {
  // The logits have a loss of their own, also those that are scaled behind their layer.
  const logits = findLogitNodes(graph);
  const candidates = graph.nodes.flatMap(({ name, kind }) => {
    if (kind !== 'conv2d' && kind !== 'dense') return [];
    const node = findBatchNorm(graph, name) ?? name;
    return logits.has(node) ? [] : [node];
  });
  const count = Math.min(MOST_HINTS, candidates.length);
  return Array.from(
    { length: count },
    (_, index) => candidates[Math.ceil(((index + 1) * candidates.length) / count) - 1],
  );
}
