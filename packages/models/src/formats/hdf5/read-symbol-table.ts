import type { Reject } from '../_reject.ts';
import type { ByteCursor } from './byte-cursor.ts';
import { decodeText } from './decode-text.ts';

/** Deeper trees hold more names than any file. */
const DEEPEST = 16;
/** Links by name, which nothing of a model is behind. */
const SOFT_LINK = 2;

/** Takes the names of a group of the older form: a tree of tables, whose names stand in a heap. */
export function readSymbolTable(
  open: (position: number) => ByteCursor,
  start: number,
  add: (name: string, address: number) => void,
  reject: Reject,
): void {
  const message = open(start);
  const [tree, heap] = [message.unsigned(8), message.unsigned(8)];
  const heapCursor = open(heap);
  heapCursor.signature('HEAP');
  heapCursor.skip(4);
  const size = heapCursor.unsigned(8);
  heapCursor.skip(8);
  const names = open(heapCursor.unsigned(8)).bytes(size);

  const readTable = (address: number): void => {
    const cursor = open(address);
    cursor.signature('SNOD');
    cursor.skip(2);
    for (let left = cursor.unsigned(2); left > 0; left--) {
      const name = cursor.unsigned(8);
      const object = cursor.unsigned(8);
      const kind = cursor.unsigned(4);
      cursor.skip(20);
      if (name >= names.length) reject(`its names must lie within their heap of ${names.length} bytes`, String(name));
      if (kind !== SOFT_LINK) add(decodeText(names.subarray(name), reject), object);
    }
  };
  const readNode = (address: number, level: number): void => {
    const cursor = open(address);
    cursor.signature('TREE');
    const [type, found] = [cursor.unsigned(1), cursor.unsigned(1)];
    if (type !== 0 || found > DEEPEST || (level >= 0 && found !== level))
      reject('the trees of its names must go down level by level', `type ${type}, level ${found}`);
    const count = cursor.unsigned(2);
    cursor.skip(16);
    for (let index = 0; index < count; index++) {
      cursor.skip(8);
      const child = cursor.unsigned(8);
      if (found === 0) readTable(child);
      else readNode(child, found - 1);
    }
  };
  readNode(tree, -1);
}
