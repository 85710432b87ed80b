import type { RandomStream } from '../random.ts';
import { inferShapes } from './infer-shapes.ts';
import type { Graph, HostTensor, Model } from './model.ts';
import { sizeOf } from '../shape.ts';

/**
 * A model with fresh weights: kernels and biases uniform in ±1 / sqrt(fan-in) (PyTorch's default, which the official
 * DAFL code relies on), scales and running variances 1, offsets and running means 0.
 */
export function initializeWeights(graph: Graph, random: RandomStream): Model {
  const weights = new Map<string, HostTensor>();
  for (const [nodeName, { weights: specifications }] of inferShapes(graph)) {
    for (const [weightName, { shape, initial }] of Object.entries(specifications)) {
      const size = sizeOf(shape);
      const data =
        typeof initial === 'number'
          ? new Float32Array(size).fill(initial)
          : random.uniform(size, -initial.bound, initial.bound);
      weights.set(`${nodeName}.${weightName}`, { shape, data });
    }
  }
  return { graph, weights };
}
