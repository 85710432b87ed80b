/**
 * Shader functions, on top of `SPECIAL_VALUES`, whose built-in forms WGSL allows to be far from exact, or that a compiler may give any value at infinities.
 *
 * - exponential: x = n ln 2 + r, |r| <= ln 2 / 2; the Taylor series of e^r to r^7 errs by less than 1e-8.
 * - logarithm: x = 2^n m, sqrt(1/2) <= m < sqrt(2); ln m = 2 artanh((m - 1) / (m + 1)), whose series to s^9 errs by
 *   less than 1e-8 of the result.
 * - hyperbolicTangent: Lambert's continued fraction to its fifth term below 1/2, 1 - 2 / (e^2x + 1) above.
 * - errorFunction: the Taylor series below 1; above, Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26,
 *   which errs by less than 1.5e-7.
 */
export const MATHEMATICS: string = `
fn exponential(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  if (x > 88.722839) { return infinity(); }
  if (x < -87.336544) { return 0.0; }
  let n = floor(x * 1.44269504 + 0.5);
  let r = (x - n * 0.693359375) + n * 2.12194440e-4;
  var y = 1.0 / 5040.0;
  y = y * r + 1.0 / 720.0;
  y = y * r + 1.0 / 120.0;
  y = y * r + 1.0 / 24.0;
  y = y * r + 1.0 / 6.0;
  y = y * r + 0.5;
  y = y * r + 1.0;
  y = y * r + 1.0;
  // In two steps, as 2^128 is no float.
  let half = i32(n) / 2;
  return y * fromBits(u32(half + 127) << 23u) * fromBits(u32(i32(n) - half + 127) << 23u);
}
fn logarithm(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  if (isZero(x)) { return fromBits(0xff800000u); }
  let bits = bitcast<u32>(x);
  if (bits >= 0x80000000u) { return nan(); }
  if (isInfinite(x)) { return x; }
  // 0x3f3504f3 is sqrt(1/2).
  let shifted = bits - 0x3f3504f3u;
  let n = bitcast<i32>(shifted) >> 23u;
  let m = fromBits((shifted & 0x7fffffu) + 0x3f3504f3u);
  let s = (m - 1.0) / (m + 1.0);
  let z = s * s;
  let series = ((((z / 9.0 + 1.0 / 7.0) * z + 0.2) * z + 1.0 / 3.0) * z) * s + s;
  return 2.0 * series + (f32(n) * -2.12194440e-4 + f32(n) * 0.693359375);
}
fn hyperbolicTangent(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  let a = abs(x);
  if (a < 0.5) {
    let z = x * x;
    return x * ((z + 105.0) * z + 945.0) / ((15.0 * z + 420.0) * z + 945.0);
  }
  // Beyond 10 the result is 1 in float32.
  let y = 1.0 - 2.0 / (exponential(2.0 * min(a, 10.0)) + 1.0);
  return select(y, -y, x < 0.0);
}
fn sigmoid(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  let e = exponential(-abs(x));
  return select(e, 1.0, x >= 0.0) / (1.0 + e);
}
fn errorFunction(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  let a = abs(x);
  if (a < 1.0) {
    let z = x * x;
    var y = -1.0 / 6894720.0;
    y = y * z + 1.0 / 685440.0;
    y = y * z - 1.0 / 75600.0;
    y = y * z + 1.0 / 9360.0;
    y = y * z - 1.0 / 1320.0;
    y = y * z + 1.0 / 216.0;
    y = y * z - 1.0 / 42.0;
    y = y * z + 0.1;
    y = y * z - 1.0 / 3.0;
    y = y * z + 1.0;
    return 1.12837917 * x * y;
  }
  let b = min(a, 6.0);
  let t = 1.0 / (1.0 + 0.3275911 * b);
  let p = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  let y = 1.0 - p * exponential(-b * b);
  return select(y, -y, x < 0.0);
}
fn signOf(x: f32) -> f32 {
  if (isNan(x)) { return x; }
  return select(select(0.0, -1.0, x < 0.0), 1.0, x > 0.0);
}
fn isPositive(x: f32) -> bool { return !isNan(x) && x > 0.0; }
`;
