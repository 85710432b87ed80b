import type { Reject } from '../_reject.ts';
import type { NumberList } from './_number-list.ts';

/** How a field lies in the bytes. */
export type WireType = 'varint' | 'fixed64' | 'bytes' | 'fixed32';

/** One field of a message. */
export interface ProtobufField {
  readonly number: number;
  readonly type: WireType;
  /** Of a varint: its 64 bits as a signed integer, exact below 2^53. */
  readonly varint: number;
  /** Content: a view into the file, of 8, 4 or any number of bytes; empty for a varint. */
  readonly bytes: Uint8Array;
}

const WIRE_TYPES: ReadonlyMap<number, WireType> = new Map([
  [0, 'varint'],
  [1, 'fixed64'],
  [2, 'bytes'],
  [5, 'fixed32'],
]);
/** The rule that a file breaks that was cut off. */
export const FIELDS_END = 'its fields must end within it';
const NO_BYTES = new Uint8Array(0);
/** The specification's own. */
const LARGEST_FIELD_NUMBER = 2 ** 29 - 1;

/** Reads bytes from the front, and no further than they go. */
class ByteReader {
  #position = 0;
  readonly #bytes: Uint8Array;
  readonly #reject: Reject;

  constructor(bytes: Uint8Array, reject: Reject) {
    this.#bytes = bytes;
    this.#reject = reject;
  }

  get isAtEnd(): boolean {
    return this.#position >= this.#bytes.length;
  }

  /** An integer of up to 64 bits, seven in each byte. */
  varint(): number {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.isAtEnd) return this.#reject(FIELDS_END, 'a number that is cut off');
      const byte = this.#bytes[this.#position++];
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >> 4;
      } else high |= shift < 63 ? bits << (shift - 32) : bits << 31;
      if (byte < 0x80) return high * 2 ** 32 + (low >>> 0);
    }
    return this.#reject('its numbers must have at most 10 bytes', 'a longer one');
  }

  take(length: number): Uint8Array {
    const left = this.#bytes.length - this.#position;
    if (!(length >= 0 && length <= left)) this.#reject(FIELDS_END, `one of ${length} bytes where ${left} are left`);
    this.#position += length;
    return this.#bytes.subarray(this.#position - length, this.#position);
  }
}

/**
 * The fields of a protocol-buffer message, in order. Lengths are checked against the bytes that there are, and nothing
 * is copied. Groups, which no format that is read here has, are rejected.
 *
 * Encoding: https://protobuf.dev/programming-guides/encoding/
 */
export function* readFields(message: Uint8Array, reject: Reject): Generator<ProtobufField> {
  const reader = new ByteReader(message, reject);
  while (!reader.isAtEnd) {
    const tag = reader.varint();
    const number = Math.floor(tag / 8);
    const type = WIRE_TYPES.get(tag & 7);
    if (!(number >= 1 && number <= LARGEST_FIELD_NUMBER) || type === undefined)
      return reject('it must consist of protocol-buffer fields', `tag ${tag}`);
    if (type === 'varint') yield { number, type, varint: reader.varint(), bytes: NO_BYTES };
    else {
      const length = type === 'bytes' ? reader.varint() : type === 'fixed64' ? 8 : 4;
      yield { number, type, varint: 0, bytes: reader.take(length) };
    }
  }
}

/** Adds the integers of a repeated field to a list: packed, or one at a time. */
export function readIntegers(field: ProtobufField, list: NumberList, reject: Reject): void {
  if (field.type === 'varint') return list.add(field.varint);
  if (field.type !== 'bytes') return reject(`field ${field.number} must hold integers`, field.type);
  const reader = new ByteReader(field.bytes, reject);
  while (!reader.isAtEnd) list.add(reader.varint());
}

/** Adds the floats of a repeated field to a list: packed, or one at a time. */
export function readFloats(field: ProtobufField, list: NumberList, reject: Reject): void {
  const { bytes, number, type } = field;
  if ((type !== 'bytes' && type !== 'fixed32') || bytes.length % 4 !== 0)
    return reject(`field ${number} must hold floats`, `${type} of ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let offset = 0; offset < bytes.length; offset += 4) list.add(view.getFloat32(offset, true));
}

/** Adds the doubles of a repeated field to a list: packed, or one at a time. */
export function readDoubles(field: ProtobufField, list: NumberList, reject: Reject): void {
  const { bytes, number, type } = field;
  if ((type !== 'bytes' && type !== 'fixed64') || bytes.length % 8 !== 0)
    return reject(`field ${number} must hold doubles`, `${type} of ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let offset = 0; offset < bytes.length; offset += 8) list.add(view.getFloat64(offset, true));
}

/** A field's text. */
export function readText(field: ProtobufField, reject: Reject): string {
  if (field.type !== 'bytes') return reject(`field ${field.number} must hold text`, field.type);
  return new TextDecoder('utf-8').decode(field.bytes);
}
