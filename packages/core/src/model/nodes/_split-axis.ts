import type { Axis } from '../channel-flow.ts';

/** Blocks of equal size, one after another. */
export function splitAxis(axis: Axis, count: number): Axis[] {
  if (axis === null) return Array<null>(count).fill(null);
  const size = axis.length / count;
  return Array.from({ length: count }, (_, block) => axis.slice(block * size, (block + 1) * size));
}
