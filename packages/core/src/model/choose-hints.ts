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
 * Chooses layers at which a student that inherited its teacher's channels can be held to what the teacher computes there:
 * what convolutions and dense layers give, behind their batch norm (and the pooling before it) where there is one, spread evenly over the network.
 *
 * Source: Romero et al., "FitNets: Hints for Thin Deep Nets", ICLR 2015. Deviation: no regressor stands between, as the
 * student's channels are some of the teacher's.
 */
export function chooseHints(teacher: Graph, { channels }: InheritedModel): Hint[] {
  const shapes = inferShapes(teacher);
  const readers = new Map<string, string[]>();
  const kinds = new Map(teacher.nodes.map((node) => [node.name, node.kind]));
  for (const { name, inputs } of teacher.nodes) {
    for (const input of inputs) readers.set(input, [...(readers.get(input) ?? []), name]);
  }
  const candidates = teacher.nodes.flatMap(({ name, kind }): Hint[] => {
    if (kind !== 'conv2d' && kind !== 'dense') return [];
    const node = findNorm(name) ?? name;
    const kept = channels.get(node);
    // The logits have a loss of their own.
    if (kept === undefined || node === teacher.outputs.logits) return [];
    const { output } = shapes.get(node)!;
    return [{ node, channels: kept, width: output[output.length - 1] }];
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
