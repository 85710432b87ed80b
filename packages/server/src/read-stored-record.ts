import { readFile } from 'node:fs/promises';
import { DaflError } from '@dafl/core';
import { systemErrorCode } from '@dafl/run';

/** What a record must be to be taken. */
export interface StoredRecordOptions<Stored> {
  /** Told of one that is damaged. */
  readonly onError: (error: unknown) => void;
  /** What it must have beside its id. */
  readonly fields: readonly (keyof Stored & string)[];
}

/**
 * Reads the record of a job or an upload. One that is damaged is told and passed over, as it must not keep the others
 * from being served.
 *
 * @returns Undefined where there is none, or none that can be read.
 */
export async function readStoredRecord<Stored extends { readonly id: string }>(
  path: string,
  { onError, fields }: StoredRecordOptions<Stored>,
): Promise<Stored | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    const missing =
      typeof value === 'object' && value !== null ? ['id', ...fields].find((name) => !(name in value)) : 'id';
    if (missing === undefined) return value as Stored;
    onError(damaged(path, missing === 'id' ? 'no record' : `one without '${missing}'`));
  } catch (error) {
    const code = systemErrorCode(error);
    // A stray file, a lock, or what was never made whole and nobody knows of.
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (code === undefined && !(error instanceof SyntaxError)) throw error;
    onError(damaged(path, code ?? 'no JSON'));
  }
  return undefined;
}

function damaged(path: string, what: string): DaflError {
  return new DaflError(
    'DATA',
    `Cannot read '${path}' as it must be a record: current content is ${what}. It is passed over`,
  );
}
