import { randomBytes } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import * as nodeFiles from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fail } from '@dafl/core';
import { systemErrorCode, toStorageError } from './storage-error.ts';

/** The calls of `node:fs/promises` that writing takes; tests make the nth of them fail. */
export type FileCalls = Pick<typeof nodeFiles, 'mkdir' | 'open' | 'readdir' | 'readFile' | 'rename' | 'rm'>;

/** Files that are being written: what `process.exit` leaves of them is removed. */
const unfinished = new Set<string>();
const removeUnfinished = (): void => {
  for (const path of unfinished) rmSync(path, { force: true });
};

const TEMPORARY = /^\..+\.\d+-[0-9a-f]{12}\.tmp$/;

/**
 * Writes a file whole or not at all: to a name of its own in the same folder, to the disk, and only then to its place.
 *
 * After a failure at any moment, a power cut included, the path holds either what it held before or all of `content`.
 *
 * @throws {DaflError} `STORAGE` if the disk is full, broken or not writable; nothing is left behind.
 */
export async function writeFileAtomically(
  path: string,
  content: Uint8Array | string,
  files: FileCalls = nodeFiles,
): Promise<void> {
  const temporary = temporaryName(path);
  if (unfinished.size === 0) process.on('exit', removeUnfinished);
  unfinished.add(temporary);
  try {
    const handle = await files.open(temporary, 'wx');
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await files.rename(temporary, path);
  } catch (error) {
    await nodeFiles.rm(temporary, { force: true }).catch(ignoreSystemError);
    throw await toStorageError(error, path);
  } finally {
    unfinished.delete(temporary);
    if (unfinished.size === 0) process.removeListener('exit', removeUnfinished);
  }
  await syncFolder(dirname(path), files);
}

/** The same where the process is about to end and nothing can be awaited. */
export function writeFileAtomicallySync(path: string, content: string): void {
  const temporary = temporaryName(path);
  try {
    writeFileSync(temporary, content, { flag: 'wx', flush: true });
    renameSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
}

function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`);
}

/** Brings the names in a folder to the disk, where the system can do that (Windows cannot open folders). */
async function syncFolder(folder: string, files: FileCalls): Promise<void> {
  if (process.platform === 'win32') return;
  try {
    const handle = await files.open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw await toStorageError(error, folder);
  }
}

/**
 * Creates a folder and those above it.
 *
 * @param mode Permissions of those that it creates.
 * @returns Whether there was no such folder.
 * @throws {DaflError} `STORAGE`
 */
export async function createFolder(folder: string, files: FileCalls = nodeFiles, mode?: number): Promise<boolean> {
  try {
    return await makeFolder(folder, files, mode);
  } catch (error) {
    throw await toStorageError(error, folder);
  }
}

/**
 * Step by step, as Node's `recursive` goes round for ever where a system says of a folder in one that is there that it is
 * missing: beneath /proc, and in folders that were deleted.
 */
async function makeFolder(folder: string, files: FileCalls, mode: number | undefined): Promise<boolean> {
  const make = async (): Promise<boolean> => {
    try {
      await files.mkdir(folder, { mode });
      return true;
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT' || !(await isFolderThere(folder))) throw error;
      return false;
    }
  };
  try {
    return await make();
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT' || dirname(folder) === folder) throw error;
    await makeFolder(dirname(folder), files, mode);
    return await make();
  }
}

async function isFolderThere(path: string): Promise<boolean> {
  try {
    return (await nodeFiles.stat(path)).isDirectory();
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return false;
  }
}

/**
 * Tries whether a file can be written into a folder, or into the nearest above it that is there. Nothing is left behind.
 *
 * @throws {DaflError} `STORAGE`
 */
export async function tryFolder(folder: string): Promise<void> {
  let place = resolve(folder);
  try {
    while (!(await isThere(place)) && dirname(place) !== place) place = dirname(place);
    const temporary = temporaryName(join(place, 'trial'));
    await (await nodeFiles.open(temporary, 'wx')).close();
    await nodeFiles.rm(temporary, { force: true });
  } catch (error) {
    throw await toStorageError(error, folder);
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await nodeFiles.stat(path);
    return true;
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    return false;
  }
}

/** Removes what a killed process left half-written in a folder. Call it only where no other process writes. */
export async function removeTemporaryFiles(folder: string): Promise<void> {
  for (const name of await listFolder(folder)) {
    if (TEMPORARY.test(name)) await nodeFiles.rm(join(folder, name), { force: true });
  }
}

/**
 * Names in a folder, sorted; none if there is no such folder.
 *
 * @throws {DaflError} `DATA` if it is none, or can't be read.
 */
export async function listFolder(folder: string): Promise<string[]> {
  try {
    return (await nodeFiles.readdir(folder)).sort();
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT') return [];
    if (code === undefined) throw error;
    const value = code === 'ENOTDIR' ? 'a file' : code;
    return fail({ code: 'DATA', cannot: `read '${folder}'`, as: 'it must be a folder', value, cause: error });
  }
}

/** For cleaning up after a failure, which must not hide that failure. */
function ignoreSystemError(error: unknown): void {
  if (systemErrorCode(error) === undefined) throw error;
}
