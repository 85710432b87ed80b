import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { DaflError } from '@dafl/core';

/**
 * Unpacks those files of a wheel (a zip archive) that are asked for.
 *
 * @param file The wheel.
 * @param folder Where they go, under the names that they have in the wheel.
 * @returns The names of what was unpacked.
 * @throws {DaflError} `USAGE` if the file is no zip archive.
 */
export async function extractWheel(
  file: string,
  folder: string,
  isWanted: (name: string) => boolean,
): Promise<string[]> {
  const { openPromise } = await import('yauzl');
  const archive = await openPromise(file).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DaflError('USAGE', `Cannot unpack '${file}' as it must be a wheel: ${reason}`, { cause: error });
  });
  const names: string[] = [];
  // yauzl refuses names that are absolute or leave the folder.
  for await (const entry of archive.eachEntry()) {
    if (!isWanted(entry.fileName) || entry.fileName.endsWith('/')) continue;
    const path = join(folder, entry.fileName);
    await mkdir(dirname(path), { recursive: true });
    await pipeline(await archive.openReadStreamPromise(entry), createWriteStream(path));
    names.push(entry.fileName);
  }
  return names;
}
