import { inferShapes } from './infer-shapes.ts';
import type { InheritedModel } from './inherit-weights.ts';
import type { Graph, ModelNode } from './model.ts';

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

/** What only scales values and moves them. */
const passing: ReadonlySet<ModelNode['kind']> = new Set(['affine', 'concat', 'flatten', 'reshape', 'transpose']);

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
  const readers = new Map<string, string[]>();
  const kinds = new Map(graph.nodes.map((node) => [node.name, node.kind]));
  for (const { name, inputs } of graph.nodes) {
    for (const input of inputs) readers.set(input, [...(readers.get(input) ?? []), name]);
  }
  // The logits have a loss of their own, also those that are scaled behind their layer.
  const logits = new Set([graph.outputs.logits]);
  for (const { name, kind, inputs } of graph.nodes.toReversed()) {
    if (logits.has(name) && passing.has(kind)) for (const input of inputs) logits.add(input);
  }
  const candidates = graph.nodes.flatMap(({ name, kind }) => {
    if (kind !== 'conv2d' && kind !== 'dense') return [];
    const node = findNorm(name) ?? name;
    return logits.has(node) ? [] : [node];
  });
  /** The batch norm that a layer's channels go through next, also where they are pooled on the way. */
  function findNorm(name: string): string | undefined {
    const [reader, ...others] = readers.get(name) ?? [];
    if (reader === undefined || others.length > 0) return undefined;
    const kind = kinds.get(reader)!;
    if (kind === 'batchNorm') return reader;
    return kind === 'maxPool2d' || kind === 'averagePool2d' ? findNorm(reader) : undefined;
  }

  const count = Math.min(MOST_HINTS, candidates.length);
  return Array.from(
    { length: count },
    (_, index) => candidates[Math.ceil(((index + 1) * candidates.length) / count) - 1],
  );
}
