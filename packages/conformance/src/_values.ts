import type { Shape, Tensor, TensorBackend, TensorData } from '@dafl/core';

/** An array in JavaScript's memory, from which each backend under comparison makes its tensor. */
export interface Values {
  readonly data: TensorData;
  readonly shape: Shape;
}

/** Number of elements of a shape. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((size, axisSize) => size * axisSize, 1);
}

/** Floats given one by one. They should be exact in float32, so that all backends start from the same numbers. */
export function floats(data: readonly number[], shape: Shape = [data.length]): Values {
  return { data: new Float64Array(data), shape };
}

/** Integers given one by one. */
export function integers(data: readonly number[], shape: Shape = [data.length]): Values {
  return { data: new Int32Array(data), shape };
}

/** The integers 0, 1, 2, ...: each element tells where it came from. */
export function range(shape: Shape, type: 'float' | 'integer' = 'float'): Values {
  const size = sizeOf(shape);
  const data = type === 'integer' ? new Int32Array(size) : new Float32Array(size);
  for (let i = 0; i < size; i++) data[i] = i;
  return { data, shape };
}

/**
 * Evenly distributed float32 numbers.
 *
 * @param shape What to fill.
 * @param options `from` (default -1) and `to` (default 1), and a `seed`: the same one gives the same numbers.
 */
export function uniform(shape: Shape, options: { from?: number; to?: number; seed?: number } = {}): Values {
  const { from = -1, to = 1, seed = 1 } = options;
  const data = new Float32Array(sizeOf(shape));
  // A counter, hashed (the finisher of MurmurHash3, which is in the public domain).
  for (let i = 0, counter = Math.imul(seed, 0x9e3779b9); i < data.length; i++) {
    counter = (counter + 0x6d2b79f5) | 0;
    let hash = Math.imul(counter ^ (counter >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    data[i] = from + ((to - from) * ((hash ^ (hash >>> 16)) >>> 0)) / 2 ** 32;
  }
  return { data, shape };
}

/** Integers from `from` to `to`, both included, as floats: ties are common. */
export function stepped(shape: Shape, options: { from: number; to: number; seed?: number }): Values {
  const { from, to, seed = 1 } = options;
  const { data } = uniform(shape, { from: 0, to: 1, seed });
  for (let i = 0; i < data.length; i++) data[i] = Math.min(to, from + Math.floor(data[i] * (to - from + 1)));
  return { data, shape };
}

/** Makes a tensor of values. */
export function upload(backend: TensorBackend, values: Values): Tensor {
  return backend.tensor(values.data, values.shape);
}
