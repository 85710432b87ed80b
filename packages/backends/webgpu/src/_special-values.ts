/**
 * Shader functions for NaN and infinities. WGSL lets compilers assume that there are none, so what depends on them is
 * decided by the bits.
 */
export const SPECIAL_VALUES: string = `
fn isNan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }
fn isInfinite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) == 0x7f800000u; }
fn isZero(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) == 0u; }
fn fromBits(bits: u32) -> f32 { return bitcast<f32>(bits); }
fn nan() -> f32 { return fromBits(0x7fc00000u); }
fn infinity() -> f32 { return fromBits(0x7f800000u); }
fn maximumOf(a: f32, b: f32) -> f32 {
  if (isNan(a)) { return a; }
  if (isNan(b)) { return b; }
  return max(a, b);
}
fn minimumOf(a: f32, b: f32) -> f32 {
  if (isNan(a)) { return a; }
  if (isNan(b)) { return b; }
  return min(a, b);
}
fn divide(a: f32, b: f32) -> f32 {
  if (isNan(a) || isNan(b)) { return nan(); }
  let sign = (bitcast<u32>(a) ^ bitcast<u32>(b)) & 0x80000000u;
  if (isZero(b)) { return fromBits(select(sign | 0x7f800000u, 0x7fc00000u, isZero(a))); }
  if (isInfinite(b)) { return fromBits(select(sign, 0x7fc00000u, isInfinite(a))); }
  if (isInfinite(a)) { return fromBits(sign | 0x7f800000u); }
  return a / b;
}
fn squareRoot(x: f32) -> f32 {
  if (isZero(x) || isNan(x)) { return x; }
  if (bitcast<i32>(x) < 0) { return nan(); }
  if (isInfinite(x)) { return x; }
  return sqrt(x);
}
`;
