import { crc32 } from '../_crc32.ts';

const LOCAL_BYTES = 30;
const ENTRY_BYTES = 46;
const END_BYTES = 22;
/** The oldest date that ZIP archives have (1 January 1980), so that equal models give equal bytes. */
const NO_DATE = 0x21;
/** Of PKZIP that understands folders; no more is used here. */
const VERSION = 20;
/** Names are UTF-8. */
const FLAGS = 0x800;

/**
 * A ZIP archive whose entries are stored as they are: weights hardly shrink. Below 4 GiB.
 *
 * Source: PKWARE, APPNOTE.TXT 6.3.10.
 *
 * @param entries Content by path, in the order in which it is written.
 */
export function writeZip(entries: ReadonlyMap<string, Uint8Array>): Uint8Array<ArrayBuffer> {
  const parts = [...entries].map(([path, content]) => ({
    name: new TextEncoder().encode(path),
    content,
    checksum: crc32(content),
  }));
  const sum = (of: (part: (typeof parts)[number]) => number): number =>
    parts.reduce((total, part) => total + of(part), 0);
  const contentBytes = sum(({ name, content }) => LOCAL_BYTES + name.length + content.length);
  const directoryBytes = sum(({ name }) => ENTRY_BYTES + name.length);
  const bytes = new Uint8Array(contentBytes + directoryBytes + END_BYTES);
  const view = new DataView(bytes.buffer);
  let [position, entry] = [0, contentBytes];
  for (const { name, content, checksum } of parts) {
    // What both headers say, from the version on.
    const describe = (at: number): void => {
      for (const [offset, value] of [VERSION, FLAGS, 0, 0, NO_DATE].entries())
        view.setUint16(at + offset * 2, value, true);
      view.setUint32(at + 10, checksum, true);
      view.setUint32(at + 14, content.length, true);
      view.setUint32(at + 18, content.length, true);
      view.setUint16(at + 22, name.length, true);
    };
    view.setUint32(entry, 0x02014b50, true);
    view.setUint16(entry + 4, VERSION, true);
    describe(entry + 6);
    view.setUint32(entry + 42, position, true);
    bytes.set(name, entry + ENTRY_BYTES);
    entry += ENTRY_BYTES + name.length;
    view.setUint32(position, 0x04034b50, true);
    describe(position + 4);
    bytes.set(name, position + LOCAL_BYTES);
    bytes.set(content, position + LOCAL_BYTES + name.length);
    position += LOCAL_BYTES + name.length + content.length;
  }
  view.setUint32(entry, 0x06054b50, true);
  view.setUint16(entry + 8, parts.length, true);
  view.setUint16(entry + 10, parts.length, true);
  view.setUint32(entry + 12, directoryBytes, true);
  view.setUint32(entry + 16, contentBytes, true);
  return bytes;
}
