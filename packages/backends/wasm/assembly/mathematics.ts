/**
 * Elementary functions of four floats at once, accurate to a few units in the last place.
 *
 * exp, log and tanh follow the single-precision routines of the Cephes library (S. Moshier, https://netlib.org/cephes),
 * with the same polynomials; erf is formula 7.1.26 of Abramowitz and Stegun (absolute error 1.5e-7).
 */
import { madd } from './simd';

// @ts-ignore: decorator
@inline
function constant(value: f32): v128 {
  return f32x4.splat(value);
}

/** e^x. Overflows to infinity, underflows through the subnormals to 0, keeps NaN. */
// @ts-ignore: decorator
@inline
export function exponential(x: v128): v128 {
  // The clamp keeps 2^n representable in two factors; beyond it the result is 0 or infinity anyway.
  // pmin and pmax are single instructions and keep a NaN that comes first.
  x = f32x4.pmax(f32x4.pmin(x, constant(89.0)), constant(-104.5));
  // Adding 1.5 x 2^23 rounds to the nearest integer and leaves it in the low bits.
  const magic = constant(12582912.0);
  const shifted = f32x4.add(f32x4.mul(x, constant(1.44269504088896341)), magic);
  const n = f32x4.sub(shifted, magic);
  let r = f32x4.sub(x, f32x4.mul(n, constant(0.693359375)));
  r = f32x4.sub(r, f32x4.mul(n, constant(-2.12194440e-4)));
  let p = constant(1.9875691500e-4);
  p = madd(p, r, constant(1.3981999507e-3));
  p = madd(p, r, constant(8.3334519073e-3));
  p = madd(p, r, constant(4.1665795894e-2));
  p = madd(p, r, constant(1.6666665459e-1));
  p = madd(p, r, constant(5.0000001201e-1));
  p = f32x4.add(madd(p, f32x4.mul(r, r), r), constant(1.0));
  const whole = i32x4.sub(shifted, magic);
  const half = i32x4.shr_s(whole, 1);
  const bias = i32x4.splat(127);
  const low = i32x4.shl(i32x4.add(half, bias), 23);
  const high = i32x4.shl(i32x4.add(i32x4.sub(whole, half), bias), 23);
  return f32x4.mul(f32x4.mul(p, low), high);
}

/** Natural logarithm; -infinity at 0, NaN below it. */
// @ts-ignore: decorator
@inline
export function logarithm(x: v128): v128 {
  const tiny = f32x4.lt(x, constant(1.17549435e-38));
  // Subnormals are scaled by 2^23 first.
  const scaled = v128.bitselect(f32x4.mul(x, constant(8388608.0)), x, tiny);
  const exponentBias = v128.bitselect(i32x4.splat(126 + 23), i32x4.splat(126), tiny);
  let e = f32x4.convert_i32x4_s(i32x4.sub(i32x4.shr_u(scaled, 23), exponentBias));
  // Mantissa in [0.5, 1).
  let m = v128.or(v128.and(scaled, i32x4.splat(0x007fffff)), i32x4.splat(0x3f000000));
  const small = f32x4.lt(m, constant(0.707106781186547524));
  e = f32x4.sub(e, v128.and(small, constant(1.0)));
  m = f32x4.sub(f32x4.add(m, v128.and(small, m)), constant(1.0));
  const z = f32x4.mul(m, m);
  let p = constant(7.0376836292e-2);
  p = madd(p, m, constant(-1.1514610310e-1));
  p = madd(p, m, constant(1.1676998740e-1));
  p = madd(p, m, constant(-1.2420140846e-1));
  p = madd(p, m, constant(1.4249322787e-1));
  p = madd(p, m, constant(-1.6668057665e-1));
  p = madd(p, m, constant(2.0000714765e-1));
  p = madd(p, m, constant(-2.4999993993e-1));
  p = madd(p, m, constant(3.3333331174e-1));
  let y = f32x4.mul(f32x4.mul(p, m), z);
  y = madd(e, constant(-2.12194440e-4), y);
  y = madd(z, constant(-0.5), y);
  let result = f32x4.add(m, y);
  result = madd(e, constant(0.693359375), result);
  const infinity = constant(Infinity);
  // Not below infinity: infinity itself or NaN, both of which the logarithm keeps.
  result = v128.bitselect(result, x, f32x4.lt(x, infinity));
  result = v128.bitselect(constant(-Infinity), result, f32x4.eq(x, constant(0.0)));
  return v128.bitselect(constant(NaN), result, f32x4.lt(x, constant(0.0)));
}

/** 1 / (1 + e^-x), without overflow and without cancellation on either side. */
// @ts-ignore: decorator
@inline
export function logistic(x: v128): v128 {
  return f32x4.div(constant(1.0), f32x4.add(constant(1.0), exponential(f32x4.neg(x))));
}

// @ts-ignore: decorator
@inline
export function hyperbolicTangent(x: v128): v128 {
  const size = f32x4.abs(x);
  const z = f32x4.mul(x, x);
  let p = constant(-5.70498872745e-3);
  p = madd(p, z, constant(2.06390887954e-2));
  p = madd(p, z, constant(-5.37397155531e-2));
  p = madd(p, z, constant(1.33314422036e-1));
  p = madd(p, z, constant(-3.33332819422e-1));
  const near = madd(f32x4.mul(p, z), x, x);
  const e = exponential(f32x4.add(size, size));
  const far = f32x4.sub(constant(1.0), f32x4.div(constant(2.0), f32x4.add(e, constant(1.0))));
  const signed = v128.or(far, v128.and(x, i32x4.splat(0x80000000)));
  return v128.bitselect(near, signed, f32x4.lt(size, constant(0.625)));
}

/** Gauss error function. */
// @ts-ignore: decorator
@inline
export function errorFunction(x: v128): v128 {
  const size = f32x4.abs(x);
  const t = f32x4.div(constant(1.0), madd(size, constant(0.3275911), constant(1.0)));
  let p = constant(1.061405429);
  p = madd(p, t, constant(-1.453152027));
  p = madd(p, t, constant(1.421413741));
  p = madd(p, t, constant(-0.284496736));
  p = madd(p, t, constant(0.254829592));
  const e = exponential(f32x4.neg(f32x4.mul(size, size)));
  const y = f32x4.sub(constant(1.0), f32x4.mul(f32x4.mul(p, t), e));
  return v128.or(y, v128.and(x, i32x4.splat(0x80000000)));
}
