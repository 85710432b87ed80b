import { stat } from 'node:fs/promises';
import { systemErrorCode } from '../folder/storage-error.ts';

/** Whether a path leads to a folder; also false where it leads nowhere. */
export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return false;
  }
}
