import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { formatBytes, freeBytes, toStorageError } from './storage-error.ts';
import { createFolder, removeTemporaryFiles, tryFolder, writeFileAtomically } from './write-file-atomically.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dafl-storage-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test.each([
  ['ENOSPC', /^Cannot write '.*' as the disk must have room: current error is ENOSPC\. Free some space \(.* free\)$/],
  ['EIO', /^Cannot write '.*' as the disk must work: current error is EIO\. Check the disk$/],
  ['EROFS', /^Cannot write '.*' as the folder must be writable: current error is EROFS\. Choose another folder$/],
  ['ENOTDIR', /^Cannot write '.*' as its folder must be usable: current error is ENOTDIR\. Choose another folder$/],
])('%s', async (code, expected) => {
  const error = await toStorageError(Object.assign(new Error('x'), { code }), join(folder, 'a', 'b'));
  expect(error).toMatchObject({ code: 'STORAGE', message: expect.stringMatching(expected) as string });
});

test('other errors stay as they are', async () => {
  const error = new TypeError('x');
  expect(await toStorageError(error, folder)).toBe(error);
});

test('a file beneath a file is an error, not a folder', async () => {
  const file = join(folder, 'file');
  await writeFileAtomically(file, 'x');
  await expect(createFolder(join(file, 'inner'))).rejects.toMatchObject({ code: 'STORAGE' });
  await expect(writeFileAtomically(join(file, 'inner'), 'x')).rejects.toMatchObject({ code: 'STORAGE' });
});

test('folders are created once, with those above them', async () => {
  const deep = join(folder, 'a', 'b', 'c');
  expect(await createFolder(deep)).toBe(true);
  expect(await createFolder(deep)).toBe(false);
  expect((await Promise.all([1, 2, 3].map(() => createFolder(join(folder, 'd', 'e'))))).includes(true)).toBe(true);
});

test.runIf(process.platform === 'linux')('a system that has no room for a folder ends it, too', async () => {
  // Node's own recursion never ends here.
  await expect(createFolder('/proc/dafl/runs')).rejects.toMatchObject({ code: 'STORAGE' });
  await expect(tryFolder('/proc/dafl/runs')).rejects.toMatchObject({ code: 'STORAGE' });
});

test('trying a folder leaves nothing behind', async () => {
  await tryFolder(join(folder, 'a', 'b'));
  expect(readdirSync(folder)).toEqual([]);
});

test('temporary files of dead processes are removed, and no others', async () => {
  for (const name of ['.run.json.12-0123456789ab.tmp', '.hidden', 'a.tmp']) writeFileSync(join(folder, name), '');
  await removeTemporaryFiles(folder);
  expect(readdirSync(folder)).toEqual(['.hidden', 'a.tmp']);
});

test('free bytes are those of the nearest folder that exists', async () => {
  expect(await freeBytes(join(folder, 'not', 'there'))).toBeGreaterThan(0);
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [65_600, '65.6 kB'],
  [123_456_789, '123 MB'],
])('%d bytes', (bytes, expected) => {
  expect(formatBytes(bytes)).toBe(expected);
});

const canMount = process.platform === 'linux' && process.getuid?.() === 0;

// Only root may mount a small disk to fill.
test.runIf(canMount)('a full disk', async () => {
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]).status === 0;
  if (!mounted) return;
  try {
    await writeFileAtomically(join(disk, 'file'), 'old');
    await expect(writeFileAtomically(join(disk, 'file'), new Uint8Array(100_000))).rejects.toThrow(
      /as the disk must have room: current error is ENOSPC/,
    );
    expect(readdirSync(disk)).toEqual(['file']);
  } finally {
    spawnSync('umount', [disk]);
  }
});
