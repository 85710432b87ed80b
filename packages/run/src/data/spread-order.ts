/** The share of the circle after which points that are laid one after another lie most evenly. */
const GOLDEN_SHARE = (Math.sqrt(5) - 1) / 2;

/**
 * The numbers below `count` in an order of which each beginning is spread over all of them: images may lie class by class,
 * so that the first ones are of one class.
 */
export function spreadOrder(count: number): number[] {
  let stride = Math.max(1, Math.round(count * GOLDEN_SHARE));
  while (commonDivisor(stride, count) > 1) stride++;
  return Array.from({ length: count }, (_, index) => (index * stride) % count);
}

function commonDivisor(one: number, other: number): number {
  return other === 0 ? one : commonDivisor(other, one % other);
}
