import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { fail } from '@dafl/core';
import { tryFolder } from './write-file-atomically.ts';

/**
 * Tries, before it is computed, whether a file can be written in the end. Nothing is left behind.
 *
 * @throws {DaflError} `USAGE` if the path is a folder, or a file that must not be replaced; `STORAGE` if its folder refuses it.
 */
export async function tryFile(path: string, { force = false }: { readonly force?: boolean } = {}): Promise<void> {
  if (existsSync(path)) {
    const isFolder = statSync(path).isDirectory();
    if (isFolder || !force) {
      fail({
        cannot: `write '${path}'`,
        as: isFolder ? 'it must be a file' : 'it must not exist yet',
        value: isFolder ? 'a folder. Choose another name' : 'a file. Choose another name, or replace it with --force',
      });
    }
  }
  await tryFolder(dirname(path));
}
