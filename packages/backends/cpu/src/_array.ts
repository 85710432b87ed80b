import type { Shape } from '@dafl/core';
import { sizeOf } from '@dafl/core/backend-base';

/** Values of a tensor, row-major, as the kernels see them. */
export type NumericArray = Float32Array | Float64Array | Int32Array;

/** Values of a float tensor. */
export type FloatArray = Float32Array | Float64Array;

/** An array of `length` zeros of the same kind as `values`. */
export function allocateLike(values: NumericArray, length: number): NumericArray {
  if (values instanceof Int32Array) return new Int32Array(length);
  return values instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);
}

/**
 * Visits the elements of `shape` in row-major order and tells where each one lies under other strides.
 *
 * One walk serves transposing, slicing, padding, broadcasting and reducing: they differ in the strides alone (a
 * broadcast or reduced axis has stride 0).
 *
 * @param shape What to walk over.
 * @param strides One number for each axis.
 * @param visit Takes the row-major index of an element and its offset under `strides`.
 * @param start Offset of the first element.
 */
export function walk(
  shape: Shape,
  strides: readonly number[],
  visit: (index: number, offset: number) => void,
  start = 0,
): void {
  const size = sizeOf(shape);
  if (size === 0) return;
  const innerAxis = shape.length - 1;
  const innerSize = innerAxis < 0 ? 1 : shape[innerAxis];
  const innerStride = innerAxis < 0 ? 0 : strides[innerAxis];
  const position = new Array<number>(shape.length).fill(0);
  let rowOffset = start;
  for (let index = 0; index < size;) {
    for (let i = 0, offset = rowOffset; i < innerSize; i++, offset += innerStride) visit(index++, offset);
    // Count up the outer axes like an odometer.
    for (let axis = innerAxis - 1; axis >= 0; axis--) {
      rowOffset += strides[axis];
      if (++position[axis] < shape[axis]) break;
      rowOffset -= strides[axis] * shape[axis];
      position[axis] = 0;
    }
  }
}
