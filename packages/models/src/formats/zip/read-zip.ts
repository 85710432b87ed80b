import { showValue } from '@dafl/core';
import { crc32 } from '../_crc32.ts';
import type { Reject } from '../_reject.ts';
import { inflateEntry } from './inflate-entry.ts';

/** An entry of an archive. */
export interface ZipEntry {
  readonly sizeBytes: number;
  readonly isDeflated: boolean;
  /**
   * The content of an entry that is stored as it is: a view of the archive, checked against its checksum. A deflated one is
   * refused.
   */
  view(): Uint8Array;
  /** The content, unpacked where it is deflated, and checked against its checksum. */
  read(): Promise<Uint8Array>;
}

const END = 0x06054b50;
const END_64_LOCATOR = 0x07064b50;
const END_64 = 0x06064b50;
const ENTRY = 0x02014b50;
const LOCAL_ENTRY = 0x04034b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const LONGEST_COMMENT = 65_535;
/** Of a checkpoint with as many tensors as are read, and its optimizer's. */
const MOST_ENTRIES = 100_000;
/** What unpacks to more than so many times its bytes, beyond `SMALL_BYTES`, is a trap: weights hardly shrink. */
const LARGEST_RATIO = 100;
const SMALL_BYTES = 2 ** 20;
/** Encryption of either kind, patches, and a directory that is hidden. */
const UNREADABLE_FLAGS = 0x2061;

/**
 * The entries of a ZIP archive by name, ZIP64 included. Nothing is unpacked before it is asked for, and nothing is written
 * anywhere.
 *
 * The directory alone says what there is. Refused are: names that lead out of a folder or stand twice, entries that
 * overlap, that lie outside the file or are called otherwise where they begin, encryption, archives in several parts, and
 * sizes that no model has.
 *
 * Source: PKWARE, APPNOTE.TXT 6.3.10.
 *
 * @param look Told each name before the entry is checked: some archives are refused for what they hold.
 */
export function readZip(
  bytes: Uint8Array,
  reject: Reject,
  { look }: { readonly look?: (name: string) => void } = {},
): ReadonlyMap<string, ZipEntry> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const directory = findDirectory(view, reject);
  if (directory.count > MOST_ENTRIES) reject(`it must hold at most ${MOST_ENTRIES} entries`, String(directory.count));
  const places: Place[] = [];
  const entries = new Map<string, ZipEntry>();
  let position = directory.start;
  for (let index = 0; index < directory.count; index++) {
    const place = readPlace(bytes, view, position, directory.end, reject);
    look?.(place.name);
    if (entries.has(place.name)) reject('it must hold each entry once', `${showValue(place.name)} twice`);
    checkPlace(place, reject);
    const content = findContent(bytes, view, place, directory.start, reject);
    entries.set(place.name, createEntry(place, content, reject));
    places.push(place);
    position = place.next;
  }
  if (position !== directory.end)
    reject('its directory must end with its last entry', `${directory.end - position} bytes more`);
  requireApart(places, reject);
  return entries;
}

interface Directory {
  readonly start: number;
  readonly end: number;
  readonly count: number;
}

function findDirectory(view: DataView, reject: Reject): Directory {
  const last = view.byteLength - END_BYTES;
  const isEnd = (at: number): boolean =>
    view.getUint32(at, true) === END && at + END_BYTES + view.getUint16(at + 20, true) === view.byteLength;
  let end = last;
  while (end >= 0 && end >= last - LONGEST_COMMENT && !isEnd(end)) end--;
  if (end < 0 || end < last - LONGEST_COMMENT)
    return reject('it must end with the directory of a ZIP archive', `${view.byteLength} bytes, cut off there`);
  const parts = [4, 6].map((offset) => view.getUint16(end + offset, true));
  let [count, size, start] = [
    view.getUint16(end + 10, true),
    view.getUint32(end + 12, true),
    view.getUint32(end + 16, true),
  ];
  let directoryEnd = end;
  const locator = end - 20;
  if (locator >= 0 && view.getUint32(locator, true) === END_64_LOCATOR) {
    const wide = Number(view.getBigUint64(locator + 8, true));
    if (!(wide + 56 <= locator) || view.getUint32(wide, true) !== END_64)
      reject('its directory must lie inside the file', `byte ${wide}`);
    [count, size, start] = [32, 40, 48].map((offset) => Number(view.getBigUint64(wide + offset, true)));
    directoryEnd = wide;
  } else if (parts.some((part) => part !== 0)) {
    reject('it must be an archive in one part', `part ${parts.join(' of ')}`);
  }
  if (!(start + size <= directoryEnd))
    reject('its directory must lie inside the file', `${size} bytes from byte ${start} on`);
  return { start, end: start + size, count };
}

/** What the directory says of an entry. */
interface Place {
  readonly name: string;
  readonly nameBytes: Uint8Array;
  readonly flags: number;
  readonly method: number;
  readonly checksum: number;
  readonly sizeBytes: number;
  readonly packedBytes: number;
  /** Where the entry begins, and, once it is found, ends. */
  readonly start: number;
  end: number;
  /** Where the directory goes on. */
  readonly next: number;
}

function readPlace(bytes: Uint8Array, view: DataView, position: number, end: number, reject: Reject): Place {
  if (position + ENTRY_BYTES > end || view.getUint32(position, true) !== ENTRY)
    reject('its directory must list each entry', `other bytes at ${position}`);
  const extra = position + ENTRY_BYTES + view.getUint16(position + 28, true);
  const extraBytes = view.getUint16(position + 30, true);
  const next = extra + extraBytes + view.getUint16(position + 32, true);
  if (next > end) reject('its directory must end inside the file', `an entry at ${position}`);
  const nameBytes = bytes.subarray(position + ENTRY_BYTES, extra);
  const [sizeBytes, packedBytes, start] = readSizes(view, position, extra, extraBytes);
  return {
    name: new TextDecoder().decode(nameBytes),
    nameBytes,
    flags: view.getUint16(position + 8, true),
    method: view.getUint16(position + 10, true),
    checksum: view.getUint32(position + 16, true),
    sizeBytes,
    packedBytes,
    start,
    end: start,
    next,
  };
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

/** What a name and sizes can't be, whatever the file holds. */
function checkPlace({ name, flags, method, sizeBytes, packedBytes }: Place, reject: Reject): void {
  const entry = `entry ${showValue(name)}`;
  if (/^[/\\]|^[a-z]:|\\|\0|(^|\/)\.\.(\/|$)/i.test(name))
    reject('the names of its entries must be plain paths', showValue(name));
  if ((flags & UNREADABLE_FLAGS) !== 0) reject(`${entry} must not be encrypted`, `flags ${flags}`);
  if (method !== 0 && method !== 8) reject(`${entry} must be stored or deflated`, `method ${method}`);
  if (method === 0 && packedBytes !== sizeBytes)
    reject(`${entry} must have the size that it says`, `${packedBytes} bytes in place of ${sizeBytes}`);
  if (sizeBytes > SMALL_BYTES && sizeBytes > packedBytes * LARGEST_RATIO)
    reject(
      `${entry} must not unpack to more than ${LARGEST_RATIO} times its bytes`,
      `${sizeBytes} bytes of ${packedBytes}`,
    );
}

/** The packed content, all of which must stand before the directory. */
function findContent(bytes: Uint8Array, view: DataView, place: Place, before: number, reject: Reject): Uint8Array {
  const { name, nameBytes, method, start, packedBytes } = place;
  const entry = `entry ${showValue(name)}`;
  if (!(start + LOCAL_BYTES <= before) || view.getUint32(start, true) !== LOCAL_ENTRY)
    reject(`${entry} must begin before the directory`, `byte ${start}`);
  const nameEnd = start + LOCAL_BYTES + view.getUint16(start + 26, true);
  const content = nameEnd + view.getUint16(start + 28, true);
  if (!(content + packedBytes <= before))
    reject(`${entry} must end before the directory`, `${packedBytes} bytes from byte ${content} on`);
  const named = bytes.subarray(start + LOCAL_BYTES, nameEnd);
  // Readers that go by the one or by the other would see different archives.
  if (named.length !== nameBytes.length || named.some((byte, index) => byte !== nameBytes[index]))
    reject(`${entry} must be called so where it begins`, showValue(new TextDecoder().decode(named)));
  if (view.getUint16(start + 8, true) !== method)
    reject(`${entry} must say its method twice alike`, `${view.getUint16(start + 8, true)} in place of ${method}`);
  place.end = content + packedBytes;
  return bytes.subarray(content, place.end);
}

/** Entries that share bytes unpack to more than the file holds. */
function requireApart(places: readonly Place[], reject: Reject): void {
  const inOrder = places.toSorted((a, b) => a.start - b.start);
  for (const [index, { name, start }] of inOrder.entries()) {
    if (index > 0 && start < inOrder[index - 1].end)
      reject(
        'its entries must not overlap',
        `${showValue(inOrder[index - 1].name)} and ${showValue(name)} at byte ${start}`,
      );
  }
}

function createEntry(place: Place, packed: Uint8Array, reject: Reject): ZipEntry {
  const { name, method, checksum, sizeBytes } = place;
  const entry = `entry ${showValue(name)}`;
  const check = (content: Uint8Array): Uint8Array => {
    const found = content.length === sizeBytes ? crc32(content) : undefined;
    if (found !== checksum)
      reject(
        `${entry} must match its checksum (it is damaged)`,
        found === undefined ? `${content.length} bytes in place of ${sizeBytes}` : found.toString(16).padStart(8, '0'),
      );
    return content;
  };
  return {
    sizeBytes,
    isDeflated: method === 8,
    view() {
      if (method !== 0) reject(`${entry} must be stored without compression`, `method ${method}`);
      return check(packed);
    },
    async read() {
      if (method === 0) return check(packed);
      const content = await inflateEntry(packed, sizeBytes);
      return check(content ?? reject(`${entry} must be whole`, `no ${sizeBytes} bytes of deflated data`));
    },
  };
}
