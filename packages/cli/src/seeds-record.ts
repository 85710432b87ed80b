import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createFolder, type DistillationOptions, writeFileAtomically } from '@dafl/run';
import { UsageError } from './usage-error.ts';

/** `seeds.json`: runs that differ in their seed only, each in a folder of its own beside it. */
export interface SeedsRecord {
  readonly format: 'dafl-seeds';
  readonly version: 1;
  /** Number of runs. */
  readonly seeds: number;
  /** Of the first run. */
  readonly options: DistillationOptions;
  readonly teacherSha256: string | null;
}

const FILE = 'seeds.json';

/** Reads the record in a folder; undefined if there is none. */
export async function readSeedsRecord(folder: string): Promise<SeedsRecord | undefined> {
  let text: string;
  try {
    text = await readFile(join(folder, FILE), 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
  const record = parse(text);
  const isSound = record?.format === 'dafl-seeds' && record.version === 1 && Number.isInteger(record.seeds);
  if (isSound) return record as SeedsRecord;
  throw new UsageError(
    `Cannot read '${join(folder, FILE)}' as it must be the record of runs with --seeds, version 1: current content is another`,
  );
}

function parse(text: string): Partial<SeedsRecord> | null {
  try {
    return JSON.parse(text) as Partial<SeedsRecord> | null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Writes it, once the first run has begun. */
export async function writeSeedsRecord(folder: string, record: SeedsRecord): Promise<void> {
  await createFolder(folder);
  await writeFileAtomically(join(folder, FILE), `${JSON.stringify(record, null, 2)}\n`);
}
