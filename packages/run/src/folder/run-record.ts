import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DaflError, type ErrorCode, fail, type Preprocessing, type Verdict } from '@dafl/core';
import { z } from 'zod';
import type { SettledOptions } from '../options/distillation-options.ts';
import { parseDistillationOptions } from '../options/distillation-options.ts';
import type { Machine } from '../machine/machine.ts';
import { systemErrorCode } from './storage-error.ts';

/** One of the two networks, as a record and a report show it. */
export interface NetworkRecord {
  readonly name: string;
  readonly sha256: string | null;
  readonly sizeBytes: number | null;
  readonly parameters: number;
  /** For one image. */
  readonly multiplyAccumulates: number;
  readonly inputShape: readonly number[];
  readonly preprocessing: Preprocessing | null;
}

/** The accuracy at one moment of a run. */
export interface EvaluationRecord {
  readonly step: number;
  /** 0..1, on labelled images that nothing in the run depends on. */
  readonly accuracy: number;
  readonly count: number;
}

/** `run.json`: what was run, on what, and what came out. */
export interface RunRecord {
  readonly format: 'dafl-run';
  readonly version: 1;
  readonly state: 'running' | 'interrupted' | 'failed' | 'finished';
  /** Every option as resolved: given back to dafl they repeat the run exactly. */
  readonly options: SettledOptions;
  /** Why the method was taken, where the options left it open. */
  readonly methodReason?: string | null;
  /** Steps done. */
  readonly step: number;
  readonly teacher: NetworkRecord;
  readonly student: NetworkRecord;
  /** Where the student's first weights came from; null until that is known. */
  readonly initialization: 'random' | 'teacher' | 'given' | null;
  /** Whether `dafl demo` made it, which may replace it then. */
  readonly isDemo?: boolean;
  readonly versions: { readonly dafl: string; readonly node: string };
  /** The backend in words, and why it was taken. */
  readonly backend: { readonly description: string; readonly reason: string };
  readonly machine: Machine;
  readonly timings: {
    /** ISO 8601, UTC. */
    readonly startedAt: string;
    readonly endedAt: string | null;
    /** Steps and evaluations of all sessions, without the start. */
    readonly seconds: number;
    readonly sessions: number;
    /** What the steps were fitted to, where they were. */
    readonly timeBudgetMs: number | null;
  };
  readonly peakMemoryBytes: number;
  /** Steps after which the student was as it came out; null until the run has ended, absent in older records. */
  readonly keptStep?: number | null;
  /** Of that student; null where no labelled data was given or the run has not ended. */
  readonly accuracy: number | null;
  readonly teacherAccuracy: number | null;
  /** Of the student after the last evaluation, `confusion[truth][predicted]`: counts. */
  readonly confusion: readonly (readonly number[])[] | null;
  /** Share of fresh synthetic images on which student and teacher agree, 0..1. No accuracy. */
  readonly agreement: number | null;
  /** What to think of the student without labelled data; null until the run has ended, absent in older records. */
  readonly verdict?: Verdict | null;
  /** Of the student, in order. */
  readonly evaluations: readonly EvaluationRecord[];
  readonly error: { readonly code: ErrorCode | 'INTERNAL'; readonly message: string } | null;
}

/**
 * Reads the record of a run.
 *
 * @param path Of `run.json`.
 * @returns Undefined if there is no such file.
 * @throws {DaflError} `DATA` if it is no record.
 */
export async function readRunRecord(path: string): Promise<RunRecord | undefined> {
  const value = await readJson(path);
  if (value === undefined) return undefined;
  const record = takeRecord(path, value);
  return { ...record, options: parseDistillationOptions(record.options) as SettledOptions };
}

const network = z.looseObject({
  name: z.string(),
  sha256: z.string().nullable(),
  parameters: z.number(),
  multiplyAccumulates: z.number(),
  inputShape: z.array(z.number()),
});
/** What of a record is read on: one that was changed by hand is refused, not stumbled over. */
const recordSchema = z.looseObject({
  state: z.enum(['running', 'interrupted', 'failed', 'finished']),
  options: z.looseObject({}),
  step: z.int().min(0),
  teacher: network,
  student: network,
  backend: z.looseObject({ description: z.string(), reason: z.string() }),
  timings: z.looseObject({ startedAt: z.string(), seconds: z.number() }),
  evaluations: z.array(z.looseObject({ step: z.int(), accuracy: z.number(), count: z.int() })),
});

/** @throws {DaflError} `DATA` if a value is no record. */
function takeRecord(path: string, value: unknown): RunRecord {
  const reject = (content: string): never => {
    throw new DaflError(
      'DATA',
      `Cannot read '${path}' as it must be the record of a run, version 1: current content is ${content}`,
    );
  };
  const record: Partial<RunRecord> = typeof value === 'object' && value !== null ? value : {};
  if (record.format !== 'dafl-run' || record.version !== 1) return reject('another');
  const { error } = recordSchema.safeParse(record);
  if (error !== undefined) return reject(`one whose '${error.issues[0].path.join('.')}' is damaged`);
  const sound = record as RunRecord;
  return { ...sound, options: { ...laterOptions(sound.options), ...sound.options } };
}

/** What runs did before these could be chosen: left open, today's rules would decide, and the run would be another. */
function laterOptions({ method }: SettledOptions): Partial<SettledOptions> {
  return { studentNorms: 'own', ...(method === 'procedural' ? { usesPerBatch: 4 } : {}) };
}

/** Options from a file, and the teacher they were used with, where the file is the record of a run. */
export interface Configuration {
  readonly options: Readonly<Record<string, unknown>>;
  readonly teacherSha256?: string;
}

/**
 * Reads options from a file: a `run.json`, which repeats that run, or options as plain JSON.
 *
 * @throws {DaflError} `DATA` if there is no such file, or no options in it.
 */
export async function readConfiguration(path: string): Promise<Configuration> {
  const isRun = await stat(join(path, 'run.json')).then(
    (found) => found.isFile(),
    () => false,
  );
  if (isRun) {
    const value = `a run, whose options are '${join(path, 'run.json')}'`;
    fail({ code: 'DATA', cannot: `read '${path}'`, as: 'it must be a JSON file with options', value });
  }
  const value = await readJson(path);
  if (value === undefined) {
    throw new DaflError('DATA', `Cannot read '${path}' as it must be a JSON file with options: no such file`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    fail({
      code: 'DATA',
      cannot: `read '${path}'`,
      as: 'it must hold an object with options',
      value: JSON.stringify(value),
    });
  }
  if ('format' in value && value.format === 'dafl-run') {
    const { options, teacher } = takeRecord(path, value);
    return { options: { ...options }, teacherSha256: teacher.sha256 ?? undefined };
  }
  return { options: value as Record<string, unknown> };
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    if (error instanceof SyntaxError) {
      throw new DaflError('DATA', `Cannot read '${path}' as it must be JSON: ${error.message}`, { cause: error });
    }
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    if (code === 'ENOTDIR')
      fail({ code: 'DATA', cannot: `read '${path}'`, as: `'${dirname(path)}' must be a folder`, value: 'a file' });
    throw new DaflError('DATA', `Cannot read '${path}' as it must be a readable file: current error is ${code}`, {
      cause: error,
    });
  }
}
