import { inferShapes } from './infer-shapes.ts';
import type { Graph } from './model.ts';
import type { WeightSpecification } from './node-kind.ts';

/** How many values each value that a weight helps to make is summed of: of a kernel its inputs; 1 of all else. */
export function fanInOf({ shape, initial }: Pick<WeightSpecification, 'shape' | 'initial'>): number {
  // A kernel's first values lie within 1 / sqrt(fan-in), and so do its bias's, which is added as it is.
  return typeof initial === 'object' && shape.length > 1 ? Math.round(initial.bound ** -2) : 1;
}

/** Of the kernels of a graph, the largest fan-in; 1 where it has none. */
export function widestFanIn(graph: Graph): number {
  const specifications = [...inferShapes(graph).values()].flatMap(({ weights }) => Object.values(weights));
  return Math.max(1, ...specifications.map(fanInOf));
}
