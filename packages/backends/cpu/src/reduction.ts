import type { ReduceOperation, Shape } from '@dafl/core';
import { sizeOf, stridesOf } from '@dafl/core/backend-base';
import { type FloatArray, walk } from './_array.ts';

/** Reduces over `axes`. The result has the elements of the axes that stay. */
export function reduce(
  operation: ReduceOperation,
  input: FloatArray,
  shape: Shape,
  axes: readonly number[],
): Float64Array {
  // Where an input element lands in the output: reduced axes don't move it.
  const keptShape = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const keptStrides = stridesOf(keptShape);
  const strides = keptStrides.map((stride, axis) => (axes.includes(axis) ? 0 : stride));
  const output = new Float64Array(sizeOf(keptShape));

  if (operation === 'max') {
    output.fill(-Infinity);
    walk(shape, strides, (index, offset) => {
      output[offset] = Math.max(output[offset], input[index]);
    });
    return output;
  }

  walk(shape, strides, (index, offset) => {
    output[offset] += input[index];
  });
  if (operation === 'mean') {
    const count = axes.reduce((product, axis) => product * shape[axis], 1);
    for (let i = 0; i < output.length; i++) output[i] /= count;
  }
  return output;
}

/** Index of the first largest element of each row of length `rowSize`. */
export function argMax(input: FloatArray, rowCount: number, rowSize: number): Int32Array {
  const output = new Int32Array(rowCount);
  for (let row = 0; row < rowCount; row++) {
    const start = row * rowSize;
    let best = 0;
    for (let i = 1; i < rowSize; i++) if (input[start + i] > input[start + best]) best = i;
    output[row] = best;
  }
  return output;
}

/** A row of `depth` floats for each index: 1 there, 0 elsewhere; all 0 where the index is out of range. */
export function oneHot(indices: Int32Array, depth: number): Float64Array {
  const output = new Float64Array(indices.length * depth);
  for (let i = 0; i < indices.length; i++) {
    if (indices[i] >= 0 && indices[i] < depth) output[i * depth + indices[i]] = 1;
  }
  return output;
}
