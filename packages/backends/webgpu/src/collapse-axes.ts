import type { Shape } from '@dafl/core';

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
