import type { Shape } from '@dafl/core';

/** Number of elements. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const length of shape) size *= length;
  return size;
}

/** Distances between neighbours along each axis, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = Array.from<number>({ length: shape.length });
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

/** The shape as error texts show it. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** The shape that NumPy's broadcasting gives. */
export function broadcastShapes(left: Shape, right: Shape): number[] {
  const rank = Math.max(left.length, right.length);
  return Array.from({ length: rank }, (_, axis) => {
    const a = left[axis - rank + left.length] ?? 1;
    const b = right[axis - rank + right.length] ?? 1;
    return a === 1 ? b : a;
  });
}

/** Strides of `shape` seen as an array of shape `target`: 0 along axes that repeat. */
export function broadcastStrides(shape: Shape, target: Shape): number[] {
  const missing = target.length - shape.length;
  const strides = stridesOf(shape);
  return target.map((_, axis) => (axis < missing || shape[axis - missing] === 1 ? 0 : strides[axis - missing]));
}

/** Axes that lie end to end in every one of several arrays, joined; axes of size 1 left out. */
export function collapseAxes(
  shape: Shape,
  strides: readonly (readonly number[])[],
): { readonly sizes: number[]; readonly strides: number[][] } {
  const sizes: number[] = [];
  const joined: number[][] = strides.map(() => []);
  shape.forEach((size, axis) => {
    if (size === 1) return;
    const last = sizes.length - 1;
    if (last >= 0 && strides.every((own, i) => joined[i][last] === own[axis] * size)) {
      sizes[last] *= size;
      strides.forEach((own, i) => (joined[i][last] = own[axis]));
    } else {
      sizes.push(size);
      strides.forEach((own, i) => joined[i].push(own[axis]));
    }
  });
  if (sizes.length === 0) {
    sizes.push(1);
    for (const own of joined) own.push(0);
  }
  return { sizes, strides: joined };
}
