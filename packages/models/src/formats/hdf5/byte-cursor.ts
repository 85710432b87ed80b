import type { Reject } from '../_reject.ts';

/** An address that HDF5 calls undefined: all bits set. */
export const UNDEFINED_ADDRESS: number = Infinity;

/** Reads little-endian numbers from a file, never beyond its end. */
export class ByteCursor {
  position: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #reject: Reject;

  constructor(bytes: Uint8Array, position: number, reject: Reject) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#reject = reject;
    this.position = position;
  }

  /** Takes `count` bytes and gives where they begin. */
  #take(count: number): number {
    const { position } = this;
    if (!(position >= 0 && count >= 0 && position + count <= this.#bytes.length))
      this.#reject('its structures must lie within the file', `${count} bytes at ${position} of ${this.#bytes.length}`);
    this.position = position + count;
    return position;
  }

  skip(count: number): void {
    this.#take(count);
  }

  /** A view of the file, no copy. */
  bytes(count: number): Uint8Array {
    const start = this.#take(count);
    return this.#bytes.subarray(start, start + count);
  }

  /** An unsigned integer of 1 to 8 bytes. All bits set in 8 bytes are `UNDEFINED_ADDRESS`. */
  unsigned(count: number): number {
    const start = this.#take(count);
    if (count === 1) return this.#view.getUint8(start);
    if (count === 2) return this.#view.getUint16(start, true);
    if (count === 4) return this.#view.getUint32(start, true);
    let value = 0n;
    for (let index = count - 1; index >= 0; index--) value = (value << 8n) | BigInt(this.#bytes[start + index]);
    if (count === 8 && value === 0xffffffffffffffffn) return UNDEFINED_ADDRESS;
    if (value > BigInt(Number.MAX_SAFE_INTEGER))
      return this.#reject('its addresses and sizes must be < 2^53', String(value));
    return Number(value);
  }

  /** Takes characters that must be there. */
  signature(expected: string): void {
    const start = this.position;
    const found = String.fromCharCode(...this.bytes(expected.length));
    if (found !== expected) this.#reject(`it must have the signature '${expected}' at ${start}`, JSON.stringify(found));
  }
}
