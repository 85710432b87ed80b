import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DaflError } from '@dafl/core';
import { isRunLocked } from './run-lock.ts';
import { runFolder } from './run-folder.ts';
import { readRunRecord, type RunRecord } from './run-record.ts';
import { systemErrorCode } from './storage-error.ts';

/** A run that was found on the disk. */
export interface ListedRun {
  readonly folder: string;
  /** As the record says, but that a run whose process is gone counts as interrupted; `'unreadable'` where its record can't be read. */
  readonly state: RunRecord['state'] | 'unreadable';
  /** Absent where it can't be read. */
  readonly record?: RunRecord;
  /** Why it can't be read, or why the run failed. */
  readonly error?: string;
}

/** Folders within folders that are looked through: `runs/NAME/seed-1`. */
const MOST_DEPTH = 3;
/** What holds no runs, and may hold very many folders. */
const PASSED_OVER = ['node_modules', 'checkpoints', 'samples', 'student', 'tensorboard'];

/**
 * Finds the runs in a folder and in those beneath it, the oldest first.
 *
 * @throws {DaflError} `DATA` if there is no such folder.
 */
export async function listRuns(folder: string): Promise<ListedRun[]> {
  const runs: ListedRun[] = [];
  await collect(folder, 0, runs);
  const startOf = ({ record }: ListedRun): string => record?.timings.startedAt ?? '';
  return runs.sort((a, b) => (startOf(a) < startOf(b) ? -1 : startOf(a) > startOf(b) ? 1 : 0));
}

async function collect(folder: string, depth: number, runs: ListedRun[]): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    // One that may not be read, or was removed meanwhile.
    if (depth > 0) return [];
    throw new DaflError(
      'DATA',
      `Cannot list the runs in '${folder}' as it must be a folder: ${code === 'ENOENT' ? 'no such folder' : code === 'ENOTDIR' ? 'current value is a file' : `current error is ${code}`}`,
    );
  });
  if (entries.some((entry) => entry.isFile() && entry.name === 'run.json')) {
    const run = await readRun(folder);
    if (run !== undefined) runs.push(run);
  }
  if (depth === MOST_DEPTH) return;
  const folders = entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !PASSED_OVER.includes(entry.name))
    .map(({ name }) => name);
  for (const name of folders.sort()) await collect(join(folder, name), depth + 1, runs);
}

async function readRun(folder: string): Promise<ListedRun | undefined> {
  try {
    const record = await readRunRecord(runFolder(folder).record);
    if (record === undefined) return undefined;
    const isGone = record.state === 'running' && !(await isRunLocked(folder));
    return { folder, state: isGone ? 'interrupted' : record.state, record, error: record.error?.message };
  } catch (error) {
    if (!(error instanceof DaflError)) throw error;
    return { folder, state: 'unreadable', error: error.message };
  }
}
