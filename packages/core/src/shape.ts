import type { Conv2dOptions, Pool2dOptions, Shape } from './backend.ts';
import { slideSize } from './model/slide-size.ts';

/** Number of elements of a shape; 1 for a scalar. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const length of shape) size *= length;
  return size;
}

/** `[a, b]`, as error messages write shapes. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** Distances between neighbours along each axis of a row-major array, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = Array.from<number>({ length: shape.length });
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

/** Whether two shapes are the same. */
export function isSameShape(left: Shape, right: Shape): boolean {
  return left.length === right.length && left.every((length, axis) => length === right[axis]);
}

/** The shape that NumPy's broadcasting gives; the shapes fit. */
export function broadcastShapes(left: Shape, right: Shape): number[] {
  const rank = Math.max(left.length, right.length);
  return Array.from({ length: rank }, (_, axis) => {
    const a = left[axis - rank + left.length] ?? 1;
    const b = right[axis - rank + right.length] ?? 1;
    return a === 1 ? b : a;
  });
}

/** Strides of a row-major array seen as one of shape `target`: 0 along axes that repeat. */
export function broadcastStrides(shape: Shape, target: Shape): number[] {
  const missing = target.length - shape.length;
  const strides = stridesOf(shape);
  return target.map((_, axis) => (axis < missing || shape[axis - missing] === 1 ? 0 : strides[axis - missing]));
}

/** Shape of what `TensorBackend.reduce` gives. */
export function reducedShape(shape: Shape, axes: readonly number[], keepDimensions: boolean): number[] {
  return keepDimensions
    ? shape.map((length, axis) => (axes.includes(axis) ? 1 : length))
    : shape.filter((_, axis) => !axes.includes(axis));
}

/** Shape of what `TensorBackend.pad` gives. */
export function paddedShape(shape: Shape, paddings: readonly (readonly [before: number, after: number])[]): number[] {
  return shape.map((length, axis) => paddings[axis][0] + length + paddings[axis][1]);
}

/** Shape of what `TensorBackend.concat` gives. */
export function joinedShape(shapes: readonly Shape[], axis: number): number[] {
  return shapes[0].with(
    axis,
    shapes.reduce((sum, shape) => sum + shape[axis], 0),
  );
}

/** Shape of what `TensorBackend.matMul` gives. */
export function productShape(left: Shape, right: Shape, transposeLeft: boolean, transposeRight: boolean): number[] {
  return [left[transposeLeft ? 1 : 0], right[transposeRight ? 0 : 1]];
}

/** Shape of what `TensorBackend.conv2d` gives. */
export function convolvedShape(
  [batch, height, width]: Shape,
  [kernelHeight, kernelWidth, , outputs]: Shape,
  { strides, padding: { top, bottom, left, right }, dilations }: Conv2dOptions,
): [batch: number, height: number, width: number, channels: number] {
  return [
    batch,
    slideSize(height, top, bottom, kernelHeight, strides[0], dilations[0]),
    slideSize(width, left, right, kernelWidth, strides[1], dilations[1]),
    outputs,
  ];
}

/** Shape of what pooling gives. */
export function pooledShape(
  [batch, height, width, channels]: Shape,
  { windowSize, strides, padding: { top, bottom, left, right } }: Pool2dOptions,
): [batch: number, height: number, width: number, channels: number] {
  return [
    batch,
    slideSize(height, top, bottom, windowSize[0], strides[0]),
    slideSize(width, left, right, windowSize[1], strides[1]),
    channels,
  ];
}
