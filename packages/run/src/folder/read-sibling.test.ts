import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readSibling } from './read-sibling.ts';

const outside = mkdtempSync(join(tmpdir(), 'dafl-sibling-'));
const folder = join(outside, 'model');
mkdirSync(join(folder, 'folder'), { recursive: true });
writeFileSync(join(outside, 'secret'), 'secret');
writeFileSync(join(folder, 'weights'), 'four');
symlinkSync('../secret', join(folder, 'link'));

test('reads a file of the folder', async () => {
  expect(Buffer.from(await readSibling(folder, 'weights', 4)).toString()).toBe('four');
});

test.each([
  ['link', 'it must be a plain file beside its model, of which it holds weights: current value is a symbolic link'],
  ['folder', 'it must be a plain file beside its model, of which it holds weights: current value is a folder'],
  ['none', 'it must be a plain file beside its model, of which it holds weights: current value is no such file'],
  ['../secret', 'it must be a file of the folder of its model: current value is ../secret'],
  ['weights', 'it must have at least 5 bytes, as its model says: current value is 4 bytes'],
])('reads nothing else: %s', async (name, message) => {
  await expect(readSibling(folder, name, 5)).rejects.toThrow(message);
});
