import { fail, type ImageSet } from '@dafl/core';

const SIDE = 32;
const PLANE = SIDE * SIDE;

/**
 * Reads one file of the binary version of CIFAR-10 (one label byte) or CIFAR-100 (coarse and fine label; the fine one
 * is kept). Planes of red, green and blue become interleaved pixels.
 *
 * @param bytes The whole file.
 * @param labelBytes 1 for CIFAR-10, 2 for CIFAR-100.
 * @param name How errors call it.
 * @throws {DaflError} `DATA` if the length is no multiple of a record's.
 */
export function parseCifar(bytes: Uint8Array, labelBytes: 1 | 2, name = 'file'): ImageSet {
  const recordBytes = labelBytes + 3 * PLANE;
  const count = bytes.length / recordBytes;
  if (!Number.isInteger(count) || count === 0) {
    fail({
      code: 'DATA',
      cannot: `read '${name}'`,
      as: `CIFAR as its length must be a multiple of ${recordBytes}`,
      value: bytes.length,
    });
  }
  const pixels = new Uint8Array(count * 3 * PLANE);
  const labels = new Uint32Array(count);
  for (let record = 0; record < count; record++) {
    const start = record * recordBytes;
    labels[record] = bytes[start + labelBytes - 1];
    for (let channel = 0; channel < 3; channel++) {
      const plane = start + labelBytes + channel * PLANE;
      for (let pixel = 0; pixel < PLANE; pixel++) pixels[(record * PLANE + pixel) * 3 + channel] = bytes[plane + pixel];
    }
  }
  return { count, height: SIDE, width: SIDE, channels: 3, pixels, labels };
}
