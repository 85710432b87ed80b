import type { Reject } from '../_reject.ts';
import type { ByteCursor } from './byte-cursor.ts';

/** Deeper trees hold more records than any file. */
const DEEPEST = 16;
/** Signature, version, type and checksum. */
const NODE_OVERHEAD = 10;

/** How many bytes hold a number. */
function bytesOf(number: number): number {
  let bytes = 1;
  for (let bound = 256; bound <= number; bound *= 256) bytes++;
  return bytes;
}

/** All records of a tree of the newer form (version 2), each with the cursor at its begin. */
export function readBTreeRecords(
  open: (position: number) => ByteCursor,
  address: number,
  reject: Reject,
): ByteCursor[] {
  const header = open(address);
  header.signature('BTHD');
  header.skip(2);
  const nodeSize = header.unsigned(4);
  const recordSize = header.unsigned(2);
  const depth = header.unsigned(2);
  header.skip(2);
  const root = header.unsigned(8);
  const rootCount = header.unsigned(2);
  if (recordSize === 0 || depth > DEEPEST || nodeSize <= NODE_OVERHEAD)
    reject('its trees must have records', `depth ${depth}, ${recordSize} bytes a record, ${nodeSize} a node`);
  // How large numbers of records are stored follows from how many fit into a node of each level.
  const sizes = [{ count: 0, total: 0 }];
  let most = Math.floor((nodeSize - NODE_OVERHEAD) / recordSize);
  let mostTotal = most;
  for (let level = 1; level <= depth; level++) {
    const size = { count: bytesOf(most), total: level === 1 ? 0 : bytesOf(mostTotal) };
    sizes.push(size);
    most = Math.floor(
      (nodeSize - NODE_OVERHEAD - 8 - size.count - size.total) / (recordSize + 8 + size.count + size.total),
    );
    if (most < 1) reject('nodes of its trees must have room for a record', `${nodeSize} bytes`);
    mostTotal = (mostTotal + 1) * most + mostTotal;
    // No file has so many; the sizes of numbers end at 8 bytes.
    if (!(mostTotal < Number.MAX_SAFE_INTEGER)) reject('its trees must hold fewer than 2^53 records', `depth ${depth}`);
  }
  const records: ByteCursor[] = [];
  const readNode = (start: number, count: number, level: number): void => {
    if (count === 0 && level === 0) return;
    const cursor = open(start);
    cursor.signature(level === 0 ? 'BTLF' : 'BTIN');
    cursor.skip(2);
    for (let index = 0; index < count; index++) {
      records.push(open(cursor.position));
      cursor.skip(recordSize);
    }
    if (level === 0) return;
    for (let index = 0; index <= count; index++) {
      const child = cursor.unsigned(8);
      const childCount = cursor.unsigned(sizes[level].count);
      if (sizes[level].total > 0) cursor.skip(sizes[level].total);
      readNode(child, childCount, level - 1);
    }
  };
  readNode(root, rootCount, depth);
  return records;
}
