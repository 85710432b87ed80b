import type { Shape } from '@dafl/core';
import { sizeOf, stridesOf } from '@dafl/core/backend-base';
import { allocateLike, type NumericArray, walk } from './_array.ts';

/** Moves axis `permutation[i]` of the input to axis i of the output. */
export function transpose(input: NumericArray, shape: Shape, permutation: readonly number[]): NumericArray {
  const inputStrides = stridesOf(shape);
  const outputShape = permutation.map((axis) => shape[axis]);
  const outputStrides = permutation.map((axis) => inputStrides[axis]);
  const output = allocateLike(input, input.length);
  walk(outputShape, outputStrides, (index, offset) => {
    output[index] = input[offset];
  });
  return output;
}

/** Repeats axes of size 1. */
export function broadcast(input: NumericArray, shape: Shape, outputShape: Shape): NumericArray {
  const strides = stridesOf(shape).map((stride, axis) => (shape[axis] === 1 ? 0 : stride));
  const output = allocateLike(input, sizeOf(outputShape));
  walk(outputShape, strides, (index, offset) => {
    output[index] = input[offset];
  });
  return output;
}

/** Puts `before` and `after` elements of `value` around each axis. */
export function pad(
  input: NumericArray,
  shape: Shape,
  paddings: readonly (readonly [before: number, after: number])[],
  value: number,
): NumericArray {
  const outputShape = shape.map((size, axis) => paddings[axis][0] + size + paddings[axis][1]);
  const outputStrides = stridesOf(outputShape);
  const start = paddings.reduce((sum, [before], axis) => sum + before * outputStrides[axis], 0);
  const output = allocateLike(input, sizeOf(outputShape)).fill(value);
  walk(
    shape,
    outputStrides,
    (index, offset) => {
      output[offset] = input[index];
    },
    start,
  );
  return output;
}

/** Copies the block of shape `size` that starts at `begin`. */
export function slice(
  input: NumericArray,
  shape: Shape,
  begin: readonly number[],
  size: readonly number[],
): NumericArray {
  const strides = stridesOf(shape);
  const start = begin.reduce((sum, position, axis) => sum + position * strides[axis], 0);
  const output = allocateLike(input, sizeOf(size));
  walk(
    size,
    strides,
    (index, offset) => {
      output[index] = input[offset];
    },
    start,
  );
  return output;
}

/** Joins arrays along `axis`. They agree in every other axis. */
export function concat(inputs: readonly NumericArray[], shapes: readonly Shape[], axis: number): NumericArray {
  // Seen from `axis`, each input is a list of blocks, and the output takes one block of each input in turn.
  const blockCount = sizeOf(shapes[0].slice(0, axis));
  const blockSizes = shapes.map((shape) => sizeOf(shape.slice(axis)));
  const output = allocateLike(
    inputs[0],
    inputs.reduce((length, input) => length + input.length, 0),
  );
  let offset = 0;
  for (let block = 0; block < blockCount; block++) {
    for (let i = 0; i < inputs.length; i++) {
      const blockSize = blockSizes[i];
      output.set(inputs[i].subarray(block * blockSize, (block + 1) * blockSize), offset);
      offset += blockSize;
    }
  }
  return output;
}
