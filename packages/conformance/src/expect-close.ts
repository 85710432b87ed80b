/** How far a value may lie from the expected one: absolute + relative x |expected|. */
export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
}

/**
 * Compares two arrays of numbers, element by element.
 *
 * An element is close where |actual - expected| <= absolute + relative x |expected|. NaN is close to NaN alone, an
 * infinity to itself alone, 0 to -0.
 *
 * @param actual What came out.
 * @param expected What should have; as long as `actual`.
 * @param tolerance Both parts are >= 0; `{ absolute: 0, relative: 0 }` asks for equality.
 * @throws {Error} If the lengths differ or an element isn't close. The message names the worst element, its index and
 * how many are wrong.
 * @example Usage
 * ```ts
 * expectClose([1, 2.01], [1, 2], { absolute: 0, relative: 1e-3 });
 * // Error: Expected 2 at index 1 but got 2.01, off by 0.01 where 0.002 is allowed (1 of 2 elements differ)
 * ```
 */
export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: Tolerance): void {
  if (actual.length !== expected.length) {
    throw new Error(`Expected ${expected.length} elements but got ${actual.length}`);
  }
  let wrongCount = 0;
  let worstIndex = -1;
  let worstExcess = 0;
  for (let i = 0; i < expected.length; i++) {
    // Identity covers infinities, whose difference is NaN.
    if (actual[i] === expected[i]) continue;
    const difference = Math.abs(actual[i] - expected[i]);
    const allowed = tolerance.absolute + tolerance.relative * Math.abs(expected[i]);
    if (Number.isFinite(allowed) && difference <= allowed) continue;
    if (Number.isNaN(actual[i]) && Number.isNaN(expected[i])) continue;
    wrongCount++;
    const excess = Number.isFinite(difference) ? difference / allowed : Infinity;
    if (worstIndex === -1 || excess > worstExcess) {
      worstIndex = i;
      worstExcess = excess;
    }
  }
  if (wrongCount === 0) return;
  const difference = Math.abs(actual[worstIndex] - expected[worstIndex]);
  const allowed = tolerance.absolute + tolerance.relative * Math.abs(expected[worstIndex]);
  throw new Error(
    `Expected ${expected[worstIndex]} at index ${worstIndex} but got ${actual[worstIndex]}, ` +
      `off by ${Number(difference.toPrecision(4))} where ${Number(allowed.toPrecision(4))} is allowed ` +
      `(${wrongCount} of ${expected.length} elements differ)`,
  );
}
