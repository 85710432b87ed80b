import { basename, dirname, join } from 'node:path';
import { DaflError } from '@dafl/core';
import { createFolder, writeFileAtomically } from '../folder/write-file-atomically.ts';

/**
 * Writes a model of several files, as TensorFlow.js has them, into a folder: `model.json` last, so that what it names is there.
 *
 * @param path Path of its `model.json`; its folder is made.
 * @param files By plain name.
 */
export async function writeModelFiles(path: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  const main = basename(path);
  const content = files.get(main);
  if (content === undefined)
    throw new DaflError(
      'MODEL',
      `Cannot write '${path}' as it must be one of its files [${[...files.keys()].join(', ')}]`,
    );
  const folder = dirname(path);
  await createFolder(folder);
  for (const [name, bytes] of files) if (name !== main) await writeFileAtomically(join(folder, name), bytes);
  await writeFileAtomically(path, content);
}
