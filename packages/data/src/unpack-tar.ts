import { DaflError } from '@dafl/core';
import { parseTar } from 'nanotar';

/**
 * The files of a tar archive that is not compressed, by their path. Nothing is written anywhere: paths are only names.
 *
 * @param name How errors call it.
 * @throws {DaflError} `DATA` if it is no archive.
 */
export function unpackTar(bytes: Uint8Array, name = 'file'): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  try {
    // The parser reads the whole memory that a view lies in.
    for (const entry of parseTar(Uint8Array.from(bytes))) {
      if (entry.type === 'file' && entry.data !== undefined) files.set(entry.name, entry.data);
    }
  } catch (error) {
    throw new DaflError('DATA', `Cannot read '${name}' as it must be a tar archive: ${(error as Error).message}`, {
      cause: error,
    });
  }
  if (files.size === 0)
    throw new DaflError('DATA', `Cannot read '${name}' as a tar archive must hold files: found none`);
  return files;
}
