import { crc32 } from '../../_crc32.ts';

/** One entry of an archive that a test builds, and what of it is not as it should be. */
export interface ZipSketch {
  readonly name: string;
  /** The bytes that stand in the archive. */
  readonly content: Uint8Array;
  readonly method?: number;
  readonly checksum?: number;
  readonly flags?: number;
  /** What the directory says of its bytes in the archive, of its size once unpacked, and of its place. */
  readonly size?: number;
  readonly unpackedSize?: number;
  readonly offset?: number;
  /** Where it begins. */
  readonly localName?: string;
  readonly localMethod?: number;
  /** Whether the directory says its sizes and place in a ZIP64 field. */
  readonly isWide?: boolean;
}

/** Parts of the whole archive that a test changes. */
export interface ZipChanges {
  /** Stands behind the end of the directory, and whether that says so. */
  readonly comment?: Uint8Array;
  readonly commentBytes?: number;
  /** Number of the part that the end says it is in. */
  readonly part?: number;
  /** Whether the end is one of ZIP64 too. */
  readonly isWide?: boolean;
}

/** A ZIP archive, as PyTorch writes it unless it is told otherwise: nothing compressed. */
export function buildZip(entries: readonly ZipSketch[], changes: ZipChanges = {}): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let position = 0;
  for (const entry of entries) {
    const { name, content, method = 0, checksum = crc32(content), size = content.length, flags = 0 } = entry;
    const { unpackedSize = size, offset = position, localName = name, localMethod = method, isWide = false } = entry;
    const path = new TextEncoder().encode(name);
    const localPath = new TextEncoder().encode(localName);
    const local = new DataView(new ArrayBuffer(30));
    local.setUint32(0, 0x04034b50, true);
    local.setUint16(8, localMethod, true);
    local.setUint16(26, localPath.length, true);
    const listed = new DataView(new ArrayBuffer(46));
    const extra = new DataView(new ArrayBuffer(isWide ? 28 : 0));
    listed.setUint32(0, 0x02014b50, true);
    listed.setUint16(8, flags, true);
    listed.setUint16(10, method, true);
    listed.setUint32(16, checksum, true);
    listed.setUint32(20, isWide ? 0xffffffff : size, true);
    listed.setUint32(24, isWide ? 0xffffffff : unpackedSize, true);
    listed.setUint16(28, path.length, true);
    listed.setUint16(30, extra.byteLength, true);
    listed.setUint32(42, isWide ? 0xffffffff : offset, true);
    if (isWide) {
      extra.setUint16(0, 1, true);
      extra.setUint16(2, 24, true);
      for (const [index, value] of [unpackedSize, size, offset].entries())
        extra.setBigUint64(4 + index * 8, BigInt(value), true);
    }
    parts.push(new Uint8Array(local.buffer), localPath, content);
    directory.push(new Uint8Array(listed.buffer), path, new Uint8Array(extra.buffer));
    position += 30 + localPath.length + content.length;
  }
  const directoryBytes = directory.reduce((total, part) => total + part.length, 0);
  return concatenate([...parts, ...directory, ...buildEnd(entries.length, directoryBytes, position, changes)]);
}

function buildEnd(count: number, size: number, start: number, changes: ZipChanges): Uint8Array[] {
  const { comment = new Uint8Array(), commentBytes = comment.length, part = 0, isWide = false } = changes;
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(4, part, true);
  end.setUint16(10, isWide ? 0xffff : count, true);
  end.setUint32(12, isWide ? 0xffffffff : size, true);
  end.setUint32(16, isWide ? 0xffffffff : start, true);
  end.setUint16(20, commentBytes, true);
  const last = [new Uint8Array(end.buffer), comment];
  if (!isWide) return last;
  const wide = new DataView(new ArrayBuffer(56));
  wide.setUint32(0, 0x06064b50, true);
  for (const [index, value] of [count, size, start].entries()) wide.setBigUint64(32 + index * 8, BigInt(value), true);
  const locator = new DataView(new ArrayBuffer(20));
  locator.setUint32(0, 0x07064b50, true);
  locator.setBigUint64(8, BigInt(start + size), true);
  return [new Uint8Array(wide.buffer), new Uint8Array(locator.buffer), ...last];
}

export function concatenate(parts: readonly (Uint8Array | readonly number[])[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let position = 0;
  for (const part of parts) {
    bytes.set(part, position);
    position += part.length;
  }
  return bytes;
}
