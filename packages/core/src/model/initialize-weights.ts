import type { RandomStream } from '../random.ts';
import { inferShapes } from './infer-shapes.ts';
import type { Graph, HostTensor, Model } from './model.ts';

/**
 * A model with fresh weights: kernels and biases uniform in ±1 / sqrt(fan-in) (PyTorch's default, which the official
 * DAFL code relies on), scales and running variances 1, offsets and running means 0.
 */
export function initializeWeights(graph: Graph, random: RandomStream): Model {
  const weights = new Map<string, HostTensor>();
  for (const [nodeName, { weights: specifications }] of inferShapes(graph)) {
    const kernel = specifications.kernel?.shape;
    const fanIn = kernel === undefined ? 1 : kernel.slice(0, -1).reduce((total, size) => total * size, 1);
    const bound = 1 / Math.sqrt(fanIn);
    for (const [weightName, { shape }] of Object.entries(specifications)) {
      const size = shape.reduce((total, length) => total * length, 1);
      const isDrawn = weightName === 'kernel' || weightName === 'bias';
      const isOne = weightName === 'scale' || weightName === 'runningVariance';
      const data = isDrawn ? random.uniform(size, -bound, bound) : new Float32Array(size).fill(isOne ? 1 : 0);
      weights.set(`${nodeName}.${weightName}`, { shape, data });
    }
  }
  return { graph, weights };
}
