import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeFloat32, encodeFloat32 } from './float32.ts';
import type { SafetensorsDataType } from './safetensors.ts';

const decode = (dataType: SafetensorsDataType, bytes: Uint8Array) => decodeFloat32({ dataType, shape: [], bytes });

test('encodeFloat32 writes little-endian', () => {
  expect([...encodeFloat32(Float32Array.of(1, -2))]).toEqual([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]);
});

test('decodeFloat32 gives back what encodeFloat32 wrote, wherever it lies in its buffer', () => {
  fc.assert(
    fc.property(fc.float32Array(), fc.integer({ min: 0, max: 7 }), (values, offset) => {
      const shifted = new Uint8Array(offset + values.length * 4);
      shifted.set(encodeFloat32(values), offset);
      expect(decode('F32', shifted.subarray(offset))).toEqual(values);
    }),
  );
});

test('decodeFloat32 widens F16 exactly', () => {
  // Values of https://en.wikipedia.org/wiki/Half-precision_floating-point_format.
  const halves = Uint16Array.of(0, 0x8000, 1, 0x03ff, 0x0400, 0x3555, 0x3c00, 0xc000, 0x7bff, 0x7c00, 0xfc00, 0x7c01);
  const smallest = 2 ** -24;
  const expected = [0, -0, smallest, 1023 * smallest, 2 ** -14, 0.333251953125, 1, -2, 65504, Infinity, -Infinity, NaN];
  expect([...decode('F16', new Uint8Array(halves.buffer))!]).toEqual(expected);
});

test('decodeFloat32 widens BF16 exactly', () => {
  const brains = Uint16Array.of(0, 0x8000, 0x3f80, 0xc000, 0x4049, 0x7f80, 0x0001);
  const expected = [0, -0, 1, -2, 3.140625, Infinity, 2 ** -133];
  expect([...decode('BF16', new Uint8Array(brains.buffer))!]).toEqual(expected);
});

test.each(['F64', 'I64', 'U8', 'BOOL'] as const)('decodeFloat32 leaves %s alone', (dataType) => {
  expect(decode(dataType, new Uint8Array(8))).toBeUndefined();
});
