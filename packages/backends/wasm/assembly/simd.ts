/** Small helpers that every kernel uses. All are inlined. */

/** a x b + c: one rounding (relaxed SIMD, on hardware that has it) or two. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  else return f32x4.add(f32x4.mul(a, b), c);
}

// @ts-ignore: decorator
@inline
export function smaller(a: i32, b: i32): i32 {
  return a < b ? a : b;
}

// @ts-ignore: decorator
@inline
export function larger(a: i32, b: i32): i32 {
  return a > b ? a : b;
}

/** Sum of the four lanes, in a fixed order. */
// @ts-ignore: decorator
@inline
export function sumLanes(v: v128): f32 {
  return (
    f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 2) + (f32x4.extract_lane(v, 1) + f32x4.extract_lane(v, 3))
  );
}

/** Largest of the four lanes. */
// @ts-ignore: decorator
@inline
export function maxLanes(v: v128): f32 {
  return max(
    max(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 1)),
    max(f32x4.extract_lane(v, 2), f32x4.extract_lane(v, 3)),
  );
}

/** Copies floats. Short rows are the rule here, where a loop is faster than `memory.copy`. */
export function copyFloats(target: usize, source: usize, count: i32): void {
  const bytes = <usize>count << 2;
  const whole = bytes & ~31;
  let i: usize = 0;
  for (; i < whole; i += 32) {
    v128.store(target + i, v128.load(source + i));
    v128.store(target + i, v128.load(source + i, 16), 16);
  }
  if (bytes - i >= 16) {
    v128.store(target + i, v128.load(source + i));
    i += 16;
  }
  for (; i < bytes; i += 4) store<f32>(target + i, load<f32>(source + i));
}

/** Sets floats to `value`. */
export function fillFloats(target: usize, value: f32, count: i32): void {
  const bytes = <usize>count << 2;
  const whole = bytes & ~15;
  const v = f32x4.splat(value);
  let i: usize = 0;
  for (; i < whole; i += 16) v128.store(target + i, v);
  for (; i < bytes; i += 4) store<f32>(target + i, value);
}
