import { DaflError, fail, type ImageSet } from '@dafl/core';

/** Sizes and bytes of one IDX file. */
export interface IdxArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

const UNSIGNED_BYTE = 0x08;

/**
 * Reads an IDX file of unsigned bytes (the format of MNIST, Fashion-MNIST, USPS and EMNIST: two zero bytes, type, rank,
 * big-endian sizes, values).
 *
 * @param bytes The whole file, not compressed.
 * @param name How errors call it.
 * @throws {DaflError} `DATA` if it is no such file or its length is wrong.
 */
export function parseIdx(bytes: Uint8Array, name = 'file'): IdxArray {
  const reject = (rule: string, value: string): never => {
    fail({ code: 'DATA', cannot: `read '${name}'`, as: `IDX as ${rule}`, value });
  };
  if (bytes.length < 4) reject('it must hold at least 4 bytes', String(bytes.length));
  if (bytes[0] !== 0 || bytes[1] !== 0)
    reject('it must start with two zero bytes', `[${[...bytes.subarray(0, 2)].join(', ')}]`);
  if (bytes[2] !== UNSIGNED_BYTE) reject('its type must be 8 (unsigned bytes)', String(bytes[2]));
  const rank = bytes[3];
  const headerBytes = 4 + rank * 4;
  if (rank < 1 || rank > 4) reject('its rank must be in 1..4', String(rank));
  if (bytes.length < headerBytes) reject(`it must hold at least ${headerBytes} bytes`, String(bytes.length));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + axis * 4));
  const size = shape.reduce((total, length) => total * length, 1);
  if (bytes.length !== headerBytes + size) reject(`it must hold ${headerBytes + size} bytes`, String(bytes.length));
  return { shape, data: bytes.subarray(headerBytes) };
}

/**
 * Joins an IDX file of images and one of labels.
 *
 * @param images Shape `[count, height, width]` or `[count, height, width, channels]`.
 * @param labels Shape `[count]`, or null.
 * @throws {DaflError} `DATA` if the shapes do not fit together.
 */
export function imageSetFromIdx(images: IdxArray, labels: IdxArray | null): ImageSet {
  const [count, height, width, channels = 1] = images.shape;
  if (images.shape.length < 3) {
    throw new DaflError(
      'DATA',
      `Cannot read IDX images as their shape must be [count, height, width]: current shape is [${images.shape.join(', ')}]`,
    );
  }
  if (labels !== null && (labels.shape.length !== 1 || labels.shape[0] !== count)) {
    throw new DaflError(
      'DATA',
      `Cannot read IDX labels as their shape must be [${count}]: current shape is [${labels.shape.join(', ')}]`,
    );
  }
  return {
    count,
    height,
    width,
    channels,
    pixels: images.data,
    labels: labels === null ? undefined : Uint32Array.from(labels.data),
  };
}
