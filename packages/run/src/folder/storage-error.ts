import { dirname } from 'node:path';
import { statfs } from 'node:fs/promises';
import { DaflError } from '@dafl/core';

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const REFUSED = new Set(['EACCES', 'EPERM', 'EROFS']);

/** The code of a system error, such as `ENOSPC`; undefined for anything else. */
export function systemErrorCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

/**
 * What a failed write means to a user, and what to do about it.
 *
 * @param path What was to be written.
 * @returns A `DaflError` with code `STORAGE`; any error that is none of the system's as it is.
 */
export async function toStorageError(error: unknown, path: string): Promise<unknown> {
  const code = systemErrorCode(error);
  if (code === undefined || error instanceof DaflError) return error;
  const reject = (rule: string, advice: string) =>
    new DaflError('STORAGE', `Cannot write '${path}' as ${rule}: current error is ${code}. ${advice}`, {
      cause: error,
    });
  if (FULL.has(code)) {
    const free = await freeBytes(path);
    const advice = free === undefined ? '' : ` (${formatBytes(free)} free)`;
    return reject('the disk must have room', `Free some space${advice}`);
  }
  if (REFUSED.has(code)) return reject('the folder must be writable', 'Choose another folder');
  if (code === 'EIO') return reject('the disk must work', 'Check the disk');
  return reject('its folder must be usable', 'Choose another folder');
}

/** Bytes that are free on the disk of a path, or of the nearest folder above it that exists. */
export async function freeBytes(path: string): Promise<number | undefined> {
  for (let folder = path; ; folder = dirname(folder)) {
    try {
      const { bavail, bsize } = await statfs(folder);
      return bavail * bsize;
    } catch (error) {
      if (systemErrorCode(error) === undefined) throw error;
      if (folder === dirname(folder)) return undefined;
    }
  }
}

/** Bytes as a person reads them: `1.5 MB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
