const encoder = new TextEncoder();

/** Wire types of the protocol-buffer encoding: <https://protobuf.dev/programming-guides/encoding/>. */
const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED_32 = 5;

/** Base-128 digits, lowest first. Negative numbers take ten bytes, as int64 has it. */
function encodeVarint(value: number): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

/**
 * Writes one protocol-buffer message, field by field. It keeps the pieces as they come, so that weights are copied once:
 * by `toBytes` of the outermost message.
 */
export class ProtobufWriter {
  readonly #pieces: Uint8Array[] = [];
  #byteLength = 0;

  get byteLength(): number {
    return this.#byteLength;
  }

  #push(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#byteLength += piece.length;
  }

  #tag(field: number, wireType: number): void {
    this.#push(encodeVarint(field * 8 + wireType));
  }

  /** An `int32`, `int64` or enum; safe integers only. */
  integer(field: number, value: number): this {
    this.#tag(field, VARINT);
    this.#push(encodeVarint(value));
    return this;
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    this.#tag(field, FIXED_32);
    this.#push(bytes);
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.#tag(field, LENGTH_DELIMITED);
    this.#push(encodeVarint(value.length));
    this.#push(value);
    return this;
  }

  text(field: number, value: string): this {
    return this.bytes(field, encoder.encode(value));
  }

  message(field: number, message: ProtobufWriter): this {
    this.#tag(field, LENGTH_DELIMITED);
    this.#push(encodeVarint(message.#byteLength));
    // Not spread into `push`: a large graph has more pieces than a call may have arguments.
    for (const piece of message.#pieces) this.#pieces.push(piece);
    this.#byteLength += message.#byteLength;
    return this;
  }

  toBytes(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#byteLength);
    let position = 0;
    for (const piece of this.#pieces) {
      bytes.set(piece, position);
      position += piece.length;
    }
    return bytes;
  }
}
