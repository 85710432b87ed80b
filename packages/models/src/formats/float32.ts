import type { SafetensorsTensor } from './safetensors.ts';

/** The bytes of float32 values as files hold them: little-endian, whatever the machine. */
export function encodeFloat32(values: Float32Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < values.length; index++) view.setFloat32(index * 4, values[index], true);
  return bytes;
}

/**
 * The values of a tensor of type F32, or of F16 or BF16, each of whose values is a float32 as well.
 *
 * @returns A copy; undefined for the other types, whose values float32 would round.
 */
export function decodeFloat32(tensor: SafetensorsTensor): Float32Array | undefined {
  const { bytes, dataType } = tensor;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decode = (elementBytes: number, element: (offset: number) => number): Float32Array => {
    const values = new Float32Array(bytes.length / elementBytes);
    for (let index = 0; index < values.length; index++) values[index] = element(index * elementBytes);
    return values;
  };
  if (dataType === 'F32') return decode(4, (offset) => view.getFloat32(offset, true));
  if (dataType === 'F16') return decode(2, (offset) => widenHalf(view.getUint16(offset, true)));
  if (dataType === 'BF16') return decode(2, (offset) => widenBrain(view.getUint16(offset, true)));
  return undefined;
}

/** Value of an IEEE 754 binary16. */
function widenHalf(bits: number): number {
  const sign = bits >> 15 === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const pattern = new DataView(new ArrayBuffer(4));

/** Value of a bfloat16: the upper half of a float32. */
function widenBrain(bits: number): number {
  pattern.setUint16(0, bits);
  return pattern.getFloat32(0);
}
