import { inflateSync } from 'fflate';
import { showValue } from '@dafl/core';
import { crc32 } from '../_crc32.ts';
import type { Reject } from '../_reject.ts';

/** An entry of an archive. */
export interface ZipEntry {
  readonly sizeBytes: number;
  /** Unpacks it, and checks it against its checksum. */
  readonly read: () => Uint8Array;
}

const END_BYTES = 22;
const LONGEST_COMMENT = 65_535;
const MOST_ENTRIES = 10_000;
/** What unpacks to more than so many times its bytes, beyond `SMALL_BYTES`, is a trap: weights hardly shrink. */
const LARGEST_RATIO = 100;
const SMALL_BYTES = 2 ** 20;

/**
 * The entries of a ZIP archive by name. Nothing is unpacked before it is asked for, and nothing is written anywhere.
 * Names that lead out of a folder, names that stand twice, encryption, and sizes that do not fit the file are refused.
 */
export function readZip(bytes: Uint8Array, reject: Reject): ReadonlyMap<string, ZipEntry> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const requireInside = (start: number, size: number): void => {
    if (!(start >= 0 && size >= 0 && start + size <= bytes.length))
      reject('its entries must lie within the file', `${size} bytes at ${start} of ${bytes.length}`);
  };
  let end = bytes.length - END_BYTES;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) {
    end--;
    if (end < bytes.length - END_BYTES - LONGEST_COMMENT) end = -1;
  }
  if (end < 0) reject('it must be a whole ZIP archive', `its end is missing after ${bytes.length} bytes`);
  const count = view.getUint16(end + 10, true);
  if (count > MOST_ENTRIES) reject(`it must have at most ${MOST_ENTRIES} entries`, String(count));
  let position = view.getUint32(end + 16, true);
  const entries = new Map<string, ZipEntry>();
  for (let index = 0; index < count; index++) {
    requireInside(position, 46);
    if (view.getUint32(position, true) !== 0x02014b50)
      reject('its directory must list its entries', `${index} of ${count}`);
    const flags = view.getUint16(position + 8, true);
    const method = view.getUint16(position + 10, true);
    const checksum = view.getUint32(position + 16, true);
    const packedBytes = view.getUint32(position + 20, true);
    const sizeBytes = view.getUint32(position + 24, true);
    const nameBytes = view.getUint16(position + 28, true);
    const behind = view.getUint16(position + 30, true) + view.getUint16(position + 32, true);
    const start = view.getUint32(position + 42, true);
    requireInside(position + 46, nameBytes + behind);
    const name = new TextDecoder().decode(bytes.subarray(position + 46, position + 46 + nameBytes));
    position += 46 + nameBytes + behind;
    const shown = showValue(name);
    if (/^[/\\]|^[a-z]:|\\|\0|(^|\/)\.\.(\/|$)/i.test(name)) reject('names of its entries must be plain paths', shown);
    if (entries.has(name)) reject('each entry must stand once', `${shown} twice`);
    if ((flags & 1) !== 0) reject('its entries must not be encrypted', shown);
    if (packedBytes === 0xffffffff || sizeBytes === 0xffffffff || start === 0xffffffff)
      reject('its entries must be smaller than 4 GiB', shown);
    if (method !== 0 && method !== 8) reject('its entries must be stored or deflated', `method ${method} for ${shown}`);
    if (method === 0 && packedBytes !== sizeBytes)
      reject(
        'its entries must have the size that they say',
        `${packedBytes} bytes in place of ${sizeBytes} for ${shown}`,
      );
    if (sizeBytes > SMALL_BYTES && sizeBytes > packedBytes * LARGEST_RATIO)
      reject(
        `its entries must not unpack to more than ${LARGEST_RATIO} times their bytes`,
        `${sizeBytes} of ${packedBytes} for ${shown}`,
      );
    requireInside(start, 30 + packedBytes);
    entries.set(name, {
      sizeBytes,
      read() {
        if (view.getUint32(start, true) !== 0x04034b50) reject('its directory must lead to its entries', shown);
        const content = start + 30 + view.getUint16(start + 26, true) + view.getUint16(start + 28, true);
        requireInside(content, packedBytes);
        const packed = bytes.subarray(content, content + packedBytes);
        const unpacked = method === 0 ? packed : inflate(packed, sizeBytes, shown);
        if (unpacked.length !== sizeBytes || crc32(unpacked) !== checksum)
          reject('its entries must match their checksums (it is damaged)', shown);
        return unpacked;
      },
    });
  }
  return entries;

  function inflate(packed: Uint8Array, size: number, shown: string): Uint8Array {
    try {
      // One byte more, to tell what does not end where it should.
      return inflateSync(packed, { out: new Uint8Array(size + 1) });
    } catch {
      return reject('its entries must be whole', shown);
    }
  }
}
