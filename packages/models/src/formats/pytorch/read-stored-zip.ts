import { showValue } from '@dafl/core';
import { crc32 } from '../_crc32.ts';
import type { Reject } from '../_reject.ts';

const END = 0x06054b50;
const END_64_LOCATOR = 0x07064b50;
const END_64 = 0x06064b50;
const ENTRY = 0x02014b50;
const LOCAL_ENTRY = 0x04034b50;
const LONGEST_COMMENT = 65_535;
/** Of a checkpoint with as many tensors as are read, and its optimizer's. */
const MOST_ENTRIES = 100_000;

/**
 * Reads a ZIP archive whose entries are not compressed, as PyTorch writes it, ZIP64 included.
 *
 * Every entry must lie inside the file, once, before the directory, and match its checksum. Nothing is unpacked.
 *
 * Source: PKWARE, APPNOTE.TXT 6.3.10.
 *
 * @param look Told each name before the entry is checked: some archives are refused for what they hold.
 * @returns The content of each entry by name: views into `bytes`.
 */
export function readStoredZip(
  bytes: Uint8Array,
  look: (name: string) => void,
  reject: Reject,
): Map<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const directory = findDirectory(view, reject);
  if (directory.count > MOST_ENTRIES) reject(`it must hold at most ${MOST_ENTRIES} entries`, String(directory.count));
  const entries = new Map<string, Uint8Array>();
  let position = directory.start;
  for (let index = 0; index < directory.count; index++) {
    if (position + 46 > directory.end || view.getUint32(position, true) !== ENTRY)
      reject('its directory must list each entry', `other bytes at ${position}`);
    const method = view.getUint16(position + 10, true);
    const checksum = view.getUint32(position + 16, true);
    const nameBytes = view.getUint16(position + 28, true);
    const extraBytes = view.getUint16(position + 30, true);
    const next = position + 46 + nameBytes + extraBytes + view.getUint16(position + 32, true);
    if (next > directory.end) reject('its directory must end inside the file', `an entry at ${position}`);
    const name = new TextDecoder().decode(bytes.subarray(position + 46, position + 46 + nameBytes));
    look(name);
    const entry = `entry ${showValue(name)}`;
    const [size, stored, offset] = readSizes(view, position, position + 46 + nameBytes, extraBytes);
    if (method !== 0 || stored !== size) reject(`${entry} must be stored without compression`, `method ${method}`);
    if (entries.has(name)) reject('it must hold each entry once', `${showValue(name)} twice`);
    if (!(offset + 30 <= directory.start) || view.getUint32(offset, true) !== LOCAL_ENTRY)
      reject(`${entry} must begin before the directory`, `byte ${offset}`);
    const start = offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
    if (!(start + size <= directory.start))
      reject(`${entry} must end before the directory`, `${size} bytes from byte ${start} on`);
    const content = bytes.subarray(start, start + size);
    if (crc32(content) !== checksum)
      reject(`${entry} must match its checksum (it is damaged)`, crc32(content).toString(16).padStart(8, '0'));
    entries.set(name, content);
    position = next;
  }
  return entries;
}

interface Directory {
  readonly start: number;
  readonly end: number;
  readonly count: number;
}

function findDirectory(view: DataView, reject: Reject): Directory {
  const last = view.byteLength - 22;
  let end = last;
  while (end >= 0 && end >= last - LONGEST_COMMENT && view.getUint32(end, true) !== END) end--;
  if (end < 0 || end < last - LONGEST_COMMENT)
    return reject('it must end with the directory of a ZIP archive', `${view.byteLength} bytes, cut off there`);
  let [count, size, start] = [
    view.getUint16(end + 10, true),
    view.getUint32(end + 12, true),
    view.getUint32(end + 16, true),
  ];
  const locator = end - 20;
  if (locator >= 0 && view.getUint32(locator, true) === END_64_LOCATOR) {
    const wide = Number(view.getBigUint64(locator + 8, true));
    if (!(wide + 56 <= locator) || view.getUint32(wide, true) !== END_64)
      reject('its directory must lie inside the file', `byte ${wide}`);
    [count, size, start] = [32, 40, 48].map((offset) => Number(view.getBigUint64(wide + offset, true)));
  }
  if (!(start + size <= end)) reject('its directory must lie inside the file', `${size} bytes from byte ${start} on`);
  return { start, end: start + size, count };
}

/** Size, stored size and offset of a directory's entry, where they are too large from its ZIP64 field. */
function readSizes(view: DataView, position: number, extra: number, extraBytes: number): number[] {
  const values = [24, 20, 42].map((offset) => view.getUint32(position + offset, true));
  for (let at = extra; at + 4 <= extra + extraBytes;) {
    const end = at + 4 + view.getUint16(at + 2, true);
    if (view.getUint16(at, true) === 1 && end <= extra + extraBytes) {
      let field = at + 4;
      return values.map((value) => {
        if (value !== 0xffffffff || field + 8 > end) return value;
        field += 8;
        return Number(view.getBigUint64(field - 8, true));
      });
    }
    at = end;
  }
  return values;
}
