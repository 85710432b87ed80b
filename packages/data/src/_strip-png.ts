import { Unzlib } from 'fflate';

/** Bytes unpacked at a time: deflate packs at most 1032 to 1, so each part stays below 17 MB. */
const SLICE = 16 * 1024;
const SIGNATURE = 8;
const KEPT = new Set(['IHDR', 'PLTE', 'IDAT', 'IEND']);
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/**
 * A PNG file without the chunks that say nothing of its pixels (text, colour profiles and their packed bombs), after
 * checking that the pixels unpack to no more bytes than the header tells.
 *
 * @param bytes A PNG file, from its signature.
 * @param reject Throws; called with what is wrong if chunks are cut off, the header is no PNG's, or there are too many
 * bytes.
 */
export function stripPng(bytes: Uint8Array, reject: (current: string) => never): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [bytes.subarray(0, SIGNATURE)];
  let unpackedBytes = 0;
  let expectedBytes = 0;
  const inflate = new Unzlib((part) => {
    unpackedBytes += part.length;
  });
  for (let offset = SIGNATURE; ;) {
    if (offset + 12 > bytes.length) reject('its chunks are cut off');
    const length = view.getUint32(offset);
    const type = String.fromCodePoint(...bytes.subarray(offset + 4, offset + 8));
    const end = offset + 12 + length;
    if (end > bytes.length) reject(`chunk ${type} is cut off`);
    if (parts.length === 1) {
      if (type !== 'IHDR' || length !== 13) reject('it does not begin with a header');
      const [width, height] = [view.getUint32(offset + 8), view.getUint32(offset + 12)];
      const bits = bytes[offset + 16] * (CHANNELS[bytes[offset + 17]] ?? 4);
      // Each row starts with its filter; interlacing has at most 15 passes' rows for 8 rows.
      expectedBytes = height * 2 * (2 + Math.ceil((width * bits) / 8)) + 64;
    }
    if (type === 'IDAT') {
      for (let start = offset + 8; start < end - 4; start += SLICE) {
        inflate.push(bytes.subarray(start, Math.min(start + SLICE, end - 4)));
        if (unpackedBytes > expectedBytes) reject('its pixels unpack to more bytes than its header tells');
      }
    }
    if (KEPT.has(type)) parts.push(bytes.subarray(offset, end));
    offset = end;
    if (type === 'IEND') break;
  }
  const stripped = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let position = 0;
  for (const part of parts) {
    stripped.set(part, position);
    position += part.length;
  }
  return stripped;
}
