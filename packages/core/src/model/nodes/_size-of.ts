import type { Shape } from '../../backend.ts';

/** Number of elements of a shape. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((total, size) => total * size, 1);
}
