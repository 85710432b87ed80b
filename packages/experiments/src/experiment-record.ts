import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, type Verdict } from '@dafl/core';
import { type Machine, systemErrorCode } from '@dafl/run';
import type { Task } from './experiment.ts';

/** What one run of an experiment came to: a small file that is kept. */
export interface ExperimentRecord {
  readonly format: 'dafl-experiment-run';
  readonly version: 1;
  readonly experiment: string;
  readonly row: string;
  readonly seed: number;
  /** As declared. A record counts while the experiment's own task would compute the same: `isRecordCurrent`. */
  readonly task: Task;
  /** What the presets made of a distillation's options. Null for other tasks. */
  readonly hyperParameters: Readonly<Record<string, unknown>> | null;
  /** 0..1, on the official test images, after the last step; null where nothing is measured. */
  readonly accuracy: number | null;
  readonly teacherAccuracy: number | null;
  /** Share of fresh synthetic images on which student and teacher agree, 0..1. */
  readonly agreement: number | null;
  /** What the run itself thought of its student; null or absent where none was asked for. */
  readonly verdict?: Verdict | null;
  /** The method that the run took; null or absent for other tasks. */
  readonly method?: string | null;
  /** Hyper-parameters that the networks decided, beside `hyperParameters`; absent in older records and for other tasks. */
  readonly fitted?: Readonly<Record<string, unknown>>;
  readonly steps: number | null;
  readonly evaluations: readonly { readonly step: number; readonly accuracy: number }[];
  /** Of 512 images that the method makes at the end, how many the teacher sees as each class. */
  readonly classCounts: readonly number[] | null;
  readonly parameters: number | null;
  /** Of the student, for one image. */
  readonly multiplyAccumulates: number | null;
  readonly backend: string | null;
  /** Wall time of the run in all its sessions, start and evaluations included. */
  readonly seconds: number;
  /** Null for a run of several sessions. */
  readonly processorSeconds: number | null;
  readonly commit: string | null;
  readonly machine: Machine;
  readonly versions: { readonly dafl: string; readonly node: string };
  readonly measuredAt: string;
}

/** Path of a record. */
export function recordFile(folder: string, experiment: string, row: string, seed: number): string {
  return join(folder, experiment, `${row}-seed-${seed}.json`);
}

/**
 * @returns Undefined if there is none.
 * @throws {DaflError} `DATA` if it is damaged.
 */
export async function readExperimentRecord(file: string): Promise<ExperimentRecord | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as ExperimentRecord;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    if (!(error instanceof SyntaxError)) throw error;
    const value = `${error.message}. Without the file, the row is run again`;
    return fail({ code: 'DATA', cannot: `read '${file}'`, as: 'it must be the record of a row', value, cause: error });
  }
}
