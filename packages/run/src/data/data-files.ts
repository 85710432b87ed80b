import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { DaflError } from '@dafl/core';
import { unpackTar } from '@dafl/data';
import { listFolder } from '../folder/write-file-atomically.ts';
import { suggestName } from '../options/suggest-name.ts';
import { isFolder } from './is-folder.ts';

/** Files by name, in a folder or an archive. */
export interface DataFiles {
  /** As errors call it. */
  readonly source: string;
  readonly names: readonly string[];
  /** How errors call a file. */
  pathOf(name: string): string;
  /** Unpacked where the name ends in `.gz`. @throws {DaflError} `DATA` */
  read(name: string): Promise<Uint8Array>;
}

/** The largest decompressed file that is accepted. */
const MOST_BYTES = 2 ** 31 - 1;
/** Names of IDX and CIFAR files. */
export const DATA_FILE: RegExp = /idx\d[-_.]ubyte(?:\.gz)?$|\.bin$/;

/** @throws {DaflError} `DATA` unless `source` is a folder or an archive. */
export async function openDataFiles(source: string): Promise<DataFiles> {
  if (await isFolder(source)) return await openDataFolder(source);
  if (/\.(tar|tar\.gz|tgz)$/i.test(source)) return await openArchive(source);
  const isFile = await stat(source).then(
    () => true,
    () => false,
  );
  const found = isFile ? 'it is another file' : `no such folder${await suggestName(source, ['mnist'])}`;
  throw new DaflError(
    'DATA',
    `Cannot read data from '${source}' as it must be 'mnist', a folder or a .tar.gz: ${found}`,
  );
}

/** The files of a folder, those of its folders left out. */
export async function openDataFolder(folder: string): Promise<DataFiles> {
  const pathOf = (name: string): string => join(folder, name);
  return {
    source: folder,
    names: await listFolder(folder),
    pathOf,
    read: async (name) => await readPacked(pathOf(name)),
  };
}

async function openArchive(path: string): Promise<DataFiles> {
  const bytes = await readPacked(path);
  const files = unpackTar(bytes, path);
  const pathOf = (name: string): string => `${path}:${name}`;
  return {
    source: path,
    names: [...files.keys()],
    pathOf,
    read: async (name) => await unpack(files.get(name)!, pathOf(name)),
  };
}

/** Reads a file, unpacking it if its name ends in `.gz` or `.tgz`. @throws {DaflError} `DATA` */
async function readPacked(path: string): Promise<Uint8Array> {
  try {
    return await unpack(await readFile(path), path);
  } catch (error) {
    if (error instanceof DaflError) throw error;
    throw new DaflError('DATA', `Cannot read '${path}' as it must be a readable file: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

async function unpack(bytes: Uint8Array, path: string): Promise<Uint8Array> {
  if (!/\.(gz|tgz)$/i.test(path)) return bytes;
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: MOST_BYTES });
  } catch (error) {
    throw new DaflError('DATA', `Cannot read '${path}' as it must be a whole gzip file: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
