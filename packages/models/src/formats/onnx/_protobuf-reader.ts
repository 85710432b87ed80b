import type { Reject } from '../_reject.ts';

/** How a field lies in the bytes. */
export type WireType = 'varint' | 'fixed64' | 'bytes' | 'fixed32';

/** One field of a message. */
export interface ProtobufField {
  readonly number: number;
  readonly type: WireType;
  /** Of a varint: its 64 bits as a signed integer. */
  readonly varint: bigint;
  /** Content: a view into the file, of 8, 4 or any number of bytes; empty for a varint. */
  readonly bytes: Uint8Array;
}

const WIRE_TYPES: ReadonlyMap<number, WireType> = new Map([
  [0, 'varint'],
  [1, 'fixed64'],
  [2, 'bytes'],
  [5, 'fixed32'],
]);
const NO_BYTES = new Uint8Array(0);
/** The specification's own. */
const LARGEST_FIELD_NUMBER = 2 ** 29 - 1;

/**
 * The fields of a protocol-buffer message, in order. Lengths are checked against the bytes that there are, and nothing
 * is copied. Groups, which no format that is read here has, are rejected.
 *
 * Encoding: https://protobuf.dev/programming-guides/encoding/
 */
export function* readFields(message: Uint8Array, reject: Reject): Generator<ProtobufField> {
  let position = 0;

  function readVarint(): bigint {
    // 32 bits at a time in numbers, as bigints are slow.
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (position >= message.length) return reject('its fields must end within it', 'a number that is cut off');
      const byte = message[position++];
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >> 4;
      } else high |= shift < 63 ? bits << (shift - 32) : bits << 31;
      if (byte < 0x80) return high === 0 ? BigInt(low >>> 0) : (BigInt(high) << 32n) | BigInt(low >>> 0);
    }
    return reject('its numbers must have at most 10 bytes', 'a longer one');
  }

  function take(length: number): Uint8Array {
    if (length > message.length - position)
      reject('its fields must end within it', `one of ${length} bytes where ${message.length - position} are left`);
    const bytes = message.subarray(position, position + length);
    position += length;
    return bytes;
  }

  while (position < message.length) {
    const tag = Number(readVarint());
    const number = Math.floor(tag / 8);
    const type = WIRE_TYPES.get(tag & 7);
    if (!(number >= 1 && number <= LARGEST_FIELD_NUMBER) || type === undefined)
      return reject('it must consist of protocol-buffer fields', `tag ${tag}`);
    if (type === 'varint') yield { number, type, varint: readVarint(), bytes: NO_BYTES };
    else if (type === 'bytes') {
      const length = Number(readVarint());
      yield { number, type, varint: 0n, bytes: take(length < 0 ? Infinity : length) };
    } else yield { number, type, varint: 0n, bytes: take(type === 'fixed64' ? 8 : 4) };
  }
}

/** The integers of a repeated field: packed, or one at a time. */
export function readIntegers(field: ProtobufField, reject: Reject): bigint[] {
  if (field.type === 'varint') return [field.varint];
  if (field.type !== 'bytes') return reject(`field ${field.number} must hold integers`, field.type);
  const values: bigint[] = [];
  // A packed field is a run of varints, each of which looks like the content of a field.
  let position = 0;
  const { bytes } = field;
  while (position < bytes.length) {
    let value = 0n;
    let shift = 0n;
    for (;;) {
      if (position >= bytes.length || shift > 63n)
        return reject('its fields must end within it', 'a bad packed number');
      const byte = bytes[position++];
      value |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
      if (byte < 0x80) break;
    }
    values.push(BigInt.asIntN(64, value));
  }
  return values;
}

/** The floats of a repeated field: packed, or one at a time. */
export function readFloats(field: ProtobufField, reject: Reject): number[] {
  const { bytes, number, type } = field;
  if ((type !== 'bytes' && type !== 'fixed32') || bytes.length % 4 !== 0)
    return reject(`field ${number} must hold floats`, `${type} of ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 4 }, (_, index) => view.getFloat32(index * 4, true));
}

/** A field's text. */
export function readText(field: ProtobufField, reject: Reject): string {
  if (field.type !== 'bytes') return reject(`field ${field.number} must hold text`, field.type);
  return new TextDecoder('utf-8').decode(field.bytes);
}
