import type { IdxArray } from './parse-idx.ts';

/** Writes an IDX file of unsigned bytes, which `parseIdx` reads. */
export function writeIdx({ shape, data }: IdxArray): Uint8Array<ArrayBuffer> {
  const headerBytes = 4 + shape.length * 4;
  const bytes = new Uint8Array(headerBytes + data.length);
  bytes.set([0, 0, 0x08, shape.length]);
  const view = new DataView(bytes.buffer);
  shape.forEach((size, axis) => view.setUint32(4 + axis * 4, size));
  bytes.set(data, headerBytes);
  return bytes;
}
