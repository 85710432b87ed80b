import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { DaflError } from '@dafl/core';
import { systemErrorCode } from './storage-error.ts';

/**
 * Reads a file of a model's folder that the model names. The model may come from anywhere, so nothing but a plain file
 * of that folder is read: no link, no device, no folder.
 *
 * @param name Plain name.
 * @param leastBytes How long it must be, which is checked before it is read.
 * @throws {DaflError} `MODEL` if there is no such file, or it is too short.
 */
export async function readSibling(folder: string, name: string, leastBytes: number): Promise<Uint8Array> {
  const path = join(folder, name);
  const fail = (rule: string, value: string, cause?: unknown): never => {
    throw new DaflError('MODEL', `Cannot read '${path}' as ${rule}: current value is ${value}`, { cause });
  };
  if (/[/\\\0]/.test(name) || name === '..' || name === '.') fail('it must be a file of the folder of its model', name);
  const rule = 'it must be a plain file beside its model, of which it holds weights';
  // Opened first and looked at then, so that nothing can take its place in between. A pipe must not make it wait.
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  const file = await open(path, flags).catch((error: unknown) => {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    const found = { ENOENT: 'no such file', ELOOP: 'a symbolic link' }[code] ?? code;
    return fail(rule, found, error);
  });
  try {
    const found = await file.stat();
    if (!found.isFile()) fail(rule, found.isDirectory() ? 'a folder' : 'no plain file');
    if (found.size < leastBytes)
      fail(`it must have at least ${leastBytes} bytes, as its model says`, `${found.size} bytes`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}
