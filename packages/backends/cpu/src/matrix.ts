import type { Shape } from '@dafl/core';
import type { FloatArray } from './_array.ts';

/** Product of two matrices, each transposed first where asked. */
export function matMul(
  left: FloatArray,
  leftShape: Shape,
  right: FloatArray,
  rightShape: Shape,
  transposeLeft: boolean,
  transposeRight: boolean,
): Float64Array {
  const [rows, depth] = transposeLeft ? [leftShape[1], leftShape[0]] : leftShape;
  const columns = transposeRight ? rightShape[0] : rightShape[1];
  const [leftRowStride, leftDepthStride] = transposeLeft ? [1, leftShape[1]] : [leftShape[1], 1];
  const [rightDepthStride, rightColumnStride] = transposeRight ? [1, rightShape[1]] : [rightShape[1], 1];

  const output = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const outputStart = row * columns;
    for (let k = 0; k < depth; k++) {
      const factor = left[row * leftRowStride + k * leftDepthStride];
      const rightStart = k * rightDepthStride;
      for (let column = 0; column < columns; column++) {
        output[outputStart + column] += factor * right[rightStart + column * rightColumnStride];
      }
    }
  }
  return output;
}
