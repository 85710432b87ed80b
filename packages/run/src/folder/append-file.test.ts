import { mkdtempSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AppendFile, type WriteCall } from './append-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dafl-append-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Takes three bytes at a time. */
const shortWrite: WriteCall = (descriptor, content, offset) =>
  writeSync(descriptor, content, offset, Math.min(3, content.length - offset));

test('writes all of an entry, however little the system takes at a time', () => {
  const path = join(folder, 'log');
  const file = new AppendFile(path, shortWrite);
  file.append('first line\n');
  file.append(Uint8Array.of(1, 2, 3, 4, 5));
  file.append('');
  file.close();
  expect(readFileSync(path)).toEqual(Buffer.concat([Buffer.from('first line\n'), Buffer.of(1, 2, 3, 4, 5)]));
});

test('leaves nothing of an entry that does not fit', () => {
  const path = join(folder, 'log');
  let room = 16;
  const file = new AppendFile(path, (descriptor, content, offset) => {
    if (room < 3) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    room -= 3;
    return shortWrite(descriptor, content, offset);
  });
  file.append('first line\n');
  expect(() => file.append('second line\n')).toThrow('full');
  expect(readFileSync(path, 'utf8')).toBe('first line\n');
  room = 100;
  file.append('third line\n');
  file.close();
  expect(readFileSync(path, 'utf8')).toBe('first line\nthird line\n');
});
