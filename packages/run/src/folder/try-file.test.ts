import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { tryFile } from './try-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dafl-'));
  mkdirSync(join(folder, 'a'));
  writeFileSync(join(folder, 'b.png'), 'b');
});
afterEach(() => rmSync(folder, { recursive: true }));

it('says before anything is computed what would stop a file at the end', async () => {
  await expect(tryFile(join(folder, 'a'))).rejects.toMatchObject({
    code: 'USAGE',
    message: `Cannot write '${join(folder, 'a')}' as it must be a file: current value is a folder. Choose another name`,
  });
  await expect(tryFile(join(folder, 'b.png'))).rejects.toThrow(
    /must not exist yet: current value is a file\. Choose another name, or replace it with --force$/,
  );
  await expect(tryFile(join(folder, 'b.png', 'c.png'))).rejects.toMatchObject({ code: 'STORAGE' });
});

it('leaves nothing behind where all is well', async () => {
  for (const path of ['b.png', 'c.png', 'new/folder/c.png']) await tryFile(join(folder, path), { force: true });
  expect(readdirSync(folder).toSorted()).toEqual(['a', 'b.png']);
});
