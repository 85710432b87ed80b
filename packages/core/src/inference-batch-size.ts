import type { Graph } from './model/model.ts';
import { inferShapes } from './model/infer-shapes.ts';
import { sizeOf } from './shape.ts';

const MOST_IMAGES = 500;
/** Of the largest feature map of a batch. A few such are alive at once. */
const MOST_BYTES = 2 ** 23;

/** Images that a network may take at a time where nothing asks for a certain number: 1..500, so that memory is bounded. */
export function inferenceBatchSize(graph: Graph): number {
  const sizes = [graph.inputShape, ...[...inferShapes(graph).values()].map(({ output }) => output)].map((shape) =>
    sizeOf(shape),
  );
  return Math.max(1, Math.min(MOST_IMAGES, Math.floor(MOST_BYTES / (4 * Math.max(...sizes)))));
}
