import { DaflError } from '@dafl/core';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeFloat32 } from './float32.ts';
import { parseSafetensors } from './parse-safetensors.ts';
import { safetensorsElementBytes, type SafetensorsDataType, type SafetensorsFile } from './safetensors.ts';
import { serializeSafetensors } from './serialize-safetensors.ts';

/** A file of any header and data, right or wrong. */
function fileOf(header: unknown, dataBytes = 0, headerBytes?: number): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes ?? text.length), true);
  bytes.set(text, 8);
  return bytes;
}

function failureOf(bytes: Uint8Array): unknown {
  try {
    parseSafetensors(bytes);
  } catch (error) {
    return error;
  }
  return undefined;
}

const tensor = (begin: number, end: number, fields: object = {}): object => ({
  dtype: 'F32',
  shape: [(end - begin) / 4],
  data_offsets: [begin, end],
  ...fields,
});

const smallFile: SafetensorsFile = {
  metadata: new Map([['format', 'pt']]),
  tensors: new Map([
    ['b', { dataType: 'F32', shape: [2], bytes: encodeFloat32(Float32Array.of(1, 2)) }],
    ['a', { dataType: 'F16', shape: [], bytes: Uint8Array.of(3, 4) }],
    ['c', { dataType: 'U8', shape: [0, 7], bytes: new Uint8Array(0) }],
  ]),
};

const arbitraryTensor = fc
  .record({
    dataType: fc.constantFrom(...([...safetensorsElementBytes.keys()] as SafetensorsDataType[])),
    shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
    seed: fc.integer({ min: 0, max: 255 }),
  })
  .map(({ dataType, shape, seed }) => {
    const size = shape.reduce((total, length) => total * length, safetensorsElementBytes.get(dataType)!);
    return { dataType, shape, bytes: Uint8Array.from({ length: size }, (_, index) => (seed + index * 37) & 0xff) };
  });
const anyText = fc.string({ unit: 'binary' });
const arbitraryFile = fc.record({
  metadata: fc.array(fc.tuple(fc.oneof(anyText, fc.constant('__proto__')), anyText)).map((pairs) => new Map(pairs)),
  tensors: fc
    .array(
      fc.tuple(
        fc.oneof(
          anyText.filter((name) => name !== '__metadata__'),
          fc.constantFrom('__proto__', 'constructor', '10', '9'),
        ),
        arbitraryTensor,
      ),
    )
    .map((pairs) => new Map(pairs)),
});

describe('safetensors', () => {
  test('are read as they were written', () => {
    fc.assert(
      fc.property(arbitraryFile, (file) => {
        const read = parseSafetensors(serializeSafetensors(file));
        expect(read.metadata).toEqual(file.metadata);
        expect(read.tensors.size).toBe(file.tensors.size);
        for (const [name, expected] of file.tensors) {
          const { dataType, shape, bytes } = read.tensors.get(name)!;
          expect({ dataType, shape, bytes: [...bytes] }).toEqual({ ...expected, bytes: [...expected.bytes] });
        }
      }),
      { numRuns: 300 },
    );
  });

  test('are written as they were read, whatever the order', () => {
    fc.assert(
      fc.property(arbitraryFile, (file) => {
        const bytes = serializeSafetensors(file);
        expect(serializeSafetensors(parseSafetensors(bytes))).toEqual(bytes);
        const reversed = {
          metadata: new Map([...file.metadata].reverse()),
          tensors: new Map([...file.tensors].reverse()),
        };
        expect(serializeSafetensors(reversed)).toEqual(bytes);
      }),
      { numRuns: 300 },
    );
  });

  test('any bytes give a file or a DaflError', () => {
    const text = fc.oneof(fc.json(), fc.string()).map((json) => fileOf(json, 8));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 64 }), text), (bytes) => {
        expect(failureOf(bytes)).toSatisfy((error) => error === undefined || error instanceof DaflError);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('serializeSafetensors', () => {
  test('sorts, aligns and pads', () => {
    const bytes = serializeSafetensors(smallFile);
    const headerBytes = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(headerBytes % 8).toBe(0);
    expect(new TextDecoder().decode(bytes.subarray(8, 8 + headerBytes)).trimEnd()).toBe(
      '{"__metadata__":{"format":"pt"},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},' +
        '"a":{"dtype":"F16","shape":[],"data_offsets":[8,10]},"c":{"dtype":"U8","shape":[0,7],"data_offsets":[10,10]}}',
    );
    expect([...bytes.subarray(8 + headerBytes)]).toEqual([0, 0, 0x80, 0x3f, 0, 0, 0, 0x40, 3, 4]);
  });

  test('an empty file is a header', () => {
    expect([...serializeSafetensors({ metadata: new Map(), tensors: new Map() })]).toEqual([
      8, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20,
    ]);
  });

  const one = { dataType: 'F32', shape: [1], bytes: new Uint8Array(4) } as const;
  test.each([
    [new Map([['a', { ...one, shape: [2] }]]), "tensor 'a' must have the bytes of F32 [2]: current value is 4"],
    [new Map([['a', { ...one, shape: [-1] }]]), "tensor 'a' must have the bytes of F32 [-1]: current value is 4"],
    [
      new Map([['a', { ...one, dataType: 'F4' as SafetensorsDataType }]]),
      "tensor 'a' must have a known type: current value is 'F4'",
    ],
    [new Map([['__metadata__', one]]), "no tensor must be named '__metadata__': current value is '__metadata__'"],
    [
      new Map(Array.from({ length: 10_001 }, (_, index) => [String(index), one])),
      'there must be at most 10000 tensors: current value is 10001',
    ],
    [
      new Map([['a'.repeat(8 * 1024 * 1024), one]]),
      'the header must have at most 8388608 bytes: current value is 8388664',
    ],
  ])('rejects what could not be read (%#)', (tensors, message) => {
    expect(() => serializeSafetensors({ metadata: new Map(), tensors })).toThrow(
      expect.objectContaining({ code: 'MODEL', message: `Cannot write safetensors as ${message}` }),
    );
  });
});

describe('parseSafetensors', () => {
  test('gives views, not copies', () => {
    const bytes = serializeSafetensors(smallFile);
    expect(parseSafetensors(bytes).tensors.get('b')!.bytes.buffer).toBe(bytes.buffer);
  });

  test('reads a file that lies inside a larger buffer', () => {
    const bytes = serializeSafetensors(smallFile);
    const shifted = new Uint8Array(bytes.length + 5);
    shifted.set(bytes, 3);
    expect([...parseSafetensors(shifted.subarray(3, 3 + bytes.length)).tensors.get('a')!.bytes]).toEqual([3, 4]);
  });

  test('keeps __proto__ as a name', () => {
    const { tensors, metadata } = parseSafetensors(
      fileOf('{"__metadata__":{"__proto__":"x"},"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1),
    );
    expect([...tensors.keys(), ...metadata.keys()]).toEqual(['__proto__', '__proto__']);
  });

  const types = 'BOOL, U8, I8, F8_E4M3, F8_E5M2, U16, I16, F16, BF16, U32, I32, F32, U64, I64, F64';
  const badShape = "tensor 'a' must have a shape of integers >= 0 whose product is below 2^53";
  const badOffsets = "tensor 'a' must have two offsets, integers >= 0";
  const badFields = "tensor 'a' must have the fields [dtype, shape, data_offsets]";
  test.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), 'it must hold at least 10 bytes: current value is 0'],
    ['a header length alone', new Uint8Array(8), 'it must hold at least 10 bytes: current value is 8'],
    ['a header of 0 bytes', fileOf('{}', 0, 0), 'its header must have at least 2 bytes: current value is 0'],
    [
      'a header over the limit',
      fileOf('{}', 0, 8 * 1024 * 1024 + 1),
      'its header must have at most 8388608 bytes: current value is 8388609',
    ],
    [
      'a header length of 2^63',
      Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0x80, 0x7b, 0x7d),
      'its header must have at most 8388608 bytes: current value is 9223372036854775808',
    ],
    [
      'a header past the end',
      fileOf('{}', 0, 3),
      'it must hold the 11 bytes that its header needs: current value is 10 (cut off there)',
    ],
    ['space before the header', fileOf(' {}'), "its header must start with '{': current value is byte 32"],
    ['a byte order mark', fileOf('\ufeff{}'), "its header must start with '{': current value is byte 239"],
    ['a list', fileOf('[]'), "its header must start with '{': current value is byte 91"],
    ['broken UTF-8', fileOf('{}').fill(0xff, 9), 'its header must be UTF-8: current value is other bytes'],
    ['broken JSON', fileOf('{"a"}'), "its header must be JSON: current value is '}' at 4"],
    ['two headers', fileOf('{}{}'), "its header must be JSON: current value is '{' at 2"],
    [
      'a name twice',
      fileOf(`{"a":${JSON.stringify(tensor(0, 4))},"\\u0061":${JSON.stringify(tensor(0, 4))}}`, 4),
      "its header must have each key once: current value is 'a' twice",
    ],
    [
      'a field twice',
      fileOf('{"a":{"dtype":"U8","shape":[1],"shape":[1],"data_offsets":[0,1]}}', 1),
      "its header must have each key once: current value is 'shape' twice",
    ],
    [
      'a metadata key twice',
      fileOf('{"__metadata__":{"x":"1","x":"2"}}'),
      "its header must have each key once: current value is 'x' twice",
    ],
    [
      'deep nesting',
      fileOf(`{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`),
      'its header must nest at most 32 deep: current value is deeper at 36',
    ],
    ['metadata that is a list', fileOf({ __metadata__: [] }), "'__metadata__' must be an object: current value is []"],
    [
      'metadata that is no text',
      fileOf({ __metadata__: { x: 1 } }),
      "metadata 'x' must be a string: current value is 1",
    ],
    ['a tensor that is no object', fileOf({ a: 1 }), "tensor 'a' must be an object: current value is 1"],
    ['a missing field', fileOf({ a: { dtype: 'F32' } }), `${badFields}: current value is ['dtype']`],
    [
      'an unknown field',
      fileOf({ a: tensor(0, 4, { strides: [1] }) }, 4),
      `${badFields}: current value is ['dtype', 'shape', 'data_offsets', 'strides']`,
    ],
    [
      'an unknown type',
      fileOf({ a: tensor(0, 4, { dtype: 'F31' }) }, 4),
      `tensor 'a' must have a type of [${types}]: current value is 'F31'`,
    ],
    [
      'a type that is a property of objects',
      fileOf({ a: tensor(0, 4, { dtype: 'constructor' }) }, 4),
      `tensor 'a' must have a type of [${types}]: current value is 'constructor'`,
    ],
    ['a shape that is no list', fileOf({ a: tensor(0, 4, { shape: 1 }) }, 4), `${badShape}: current value is 1`],
    ['a negative size', fileOf({ a: tensor(0, 4, { shape: [-1] }) }, 4), `${badShape}: current value is [-1]`],
    ['half a size', fileOf({ a: tensor(0, 4, { shape: [1.5] }) }, 4), `${badShape}: current value is [1.5]`],
    ['a size in text', fileOf({ a: tensor(0, 4, { shape: ['1'] }) }, 4), `${badShape}: current value is ['1']`],
    [
      'a shape whose product overflows',
      fileOf({ a: tensor(0, 0, { shape: [2 ** 32, 2 ** 32] }) }),
      `${badShape}: current value is [4294967296, 4294967296]`,
    ],
    [
      'a shape whose product overflows before a zero',
      fileOf({ a: tensor(0, 0, { shape: [2 ** 32, 2 ** 32, 0] }) }),
      `${badShape}: current value is [4294967296, 4294967296, 0]`,
    ],
    [
      'a shape whose bytes overflow',
      fileOf({ a: tensor(0, 0, { shape: [2 ** 52] }) }),
      `${badShape}: current value is [4503599627370496]`,
    ],
    [
      'an infinite size',
      fileOf('{"a":{"dtype":"U8","shape":[1e999],"data_offsets":[0,1]}}', 1),
      `${badShape}: current value is [Infinity]`,
    ],
    ['one offset', fileOf({ a: tensor(0, 4, { data_offsets: [4] }) }, 4), `${badOffsets}: current value is [4]`],
    [
      'a negative offset',
      fileOf({ a: tensor(0, 4, { data_offsets: [-4, 0] }) }, 4),
      `${badOffsets}: current value is [-4, 0]`,
    ],
    [
      'offsets the wrong way round',
      fileOf({ a: tensor(0, 4, { data_offsets: [4, 0] }) }, 4),
      "tensor 'a' must begin before it ends: current value is [4, 0]",
    ],
    [
      'bytes that do not fit the shape',
      fileOf({ a: tensor(0, 8, { shape: [3] }) }, 8),
      "tensor 'a' must have the 12 bytes of its type and shape: current value is 8",
    ],
    [
      'a tensor past the end',
      fileOf({ a: tensor(0, 8) }, 4),
      'it must hold the 70 bytes that its header names: current value is 66 (cut off there)',
    ],
    [
      'bytes left over',
      fileOf({ a: tensor(0, 4) }, 5),
      'it must hold the 66 bytes that its header names: current value is 67',
    ],
    [
      'an overlap',
      fileOf({ a: tensor(0, 8), b: tensor(4, 12) }, 12),
      "tensor 'b' must not overlap another: current value is [4, 12] after byte 8",
    ],
    [
      'a tensor inside another',
      fileOf({ a: tensor(0, 12), b: tensor(4, 8) }, 12),
      "tensor 'b' must not overlap another: current value is [4, 8] after byte 12",
    ],
    [
      'the same bytes twice',
      fileOf({ a: tensor(0, 4), b: tensor(0, 4) }, 4),
      "tensor 'b' must not overlap another: current value is [0, 4] after byte 4",
    ],
    [
      'a hole',
      fileOf({ a: tensor(0, 4), b: tensor(8, 12) }, 12),
      "tensor 'b' must follow the one before it without a hole: current value is [8, 12] after byte 4",
    ],
    [
      'a hole at the start',
      fileOf({ a: tensor(4, 8) }, 8),
      "tensor 'a' must follow the one before it without a hole: current value is [4, 8] after byte 0",
    ],
    [
      'an empty tensor away from the others',
      fileOf({ a: tensor(0, 4), b: tensor(2, 2) }, 4),
      "tensor 'b' must not overlap another: current value is [2, 2] after byte 4",
    ],
    [
      'too many tensors',
      fileOf(Object.fromEntries(Array.from({ length: 10_001 }, (_, index) => [`t${index}`, tensor(0, 0)]))),
      'it must hold at most 10000 tensors: current value is 10001',
    ],
  ])('rejects %s', (_, bytes, message) => {
    expect(() => parseSafetensors(bytes, 'x.safetensors')).toThrow(
      expect.objectContaining({ code: 'MODEL', message: `Cannot read 'x.safetensors' as safetensors as ${message}` }),
    );
  });

  test('reads a header of 8 MiB before it rejects it', () => {
    const names = Array.from({ length: 700_000 }, (_, index) => `"${index}":0`);
    expect(() => parseSafetensors(fileOf(`{${names.join(',')}}`))).toThrow("tensor '0' must be an object");
  });
});
