import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { fail } from '@dafl/core';
import { createFolder, daflVersion, describeMachine, writeFileAtomically } from '@dafl/run';
import type { BackendName } from '@dafl/run/options';
import type { Experiment, ExperimentRow, Task } from './experiment.ts';
import { type ExperimentRecord, readExperimentRecord, recordFile } from './experiment-record.ts';
import { hyperParametersOf, isRecordCurrent } from './is-record-current.ts';
import { placeOf, resolveTask, type TaskSources } from './resolve-task.ts';
import { runTask } from './tasks/run-task.ts';
import type { TaskProgress } from './tasks/task-context.ts';
import { taskOutput } from './tasks/task-output.ts';

/** How an experiment is run. */
export interface ExperimentSettings extends TaskSources {
  /** Folder for the records; default: `folder`. */
  readonly records?: string;
  readonly backend: 'auto' | BackendName;
  /** Rows that are run; default: all. */
  readonly only?: readonly string[];
  /** In place of the rows' own. */
  readonly seeds?: readonly number[];
  readonly signal?: AbortSignal;
}

/** What `runExperiment` tells, for each row and seed in order. */
export type ExperimentEvent =
  | { readonly event: 'planned' | 'started'; readonly row: ExperimentRow; readonly seed: number; readonly task: Task }
  | TaskProgress
  | {
      readonly event: 'finished';
      readonly row: ExperimentRow;
      readonly seed: number;
      readonly record: ExperimentRecord;
      readonly isStored: boolean;
    }
  | {
      readonly event: 'skipped' | 'failed';
      readonly row: ExperimentRow;
      readonly seed: number;
      readonly reason: string;
    };

/**
 * Runs an experiment, row by row and seed by seed. What has a record of the same task is not run again; a run that was
 * interrupted goes on from its checkpoint. A row that fails does not stop the others.
 *
 * @throws {DaflError} `USAGE` if `only` names no row. `AbortError` if the signal is aborted.
 */
export async function* runExperiment(
  experiment: Experiment,
  settings: ExperimentSettings,
): AsyncGenerator<ExperimentEvent, void, undefined> {
  const { only, records = settings.folder, backend, signal } = settings;
  const ids = experiment.rows.map(({ id }) => id);
  const unknown = only?.find((id) => !ids.includes(id));
  if (unknown !== undefined) {
    fail({
      cannot: `run experiment '${experiment.name}'`,
      as: `'only' must name rows of [${ids.join(', ')}]`,
      value: `'${unknown}'`,
    });
  }
  for (const row of experiment.rows) {
    if (only !== undefined && !only.includes(row.id)) continue;
    const seeds = SEEDLESS.has(row.task.kind) ? row.seeds : (settings.seeds ?? row.seeds);
    for (const seed of seeds) {
      signal?.throwIfAborted();
      const { task, missing } = resolveTask(row.task, experiment, settings);
      if (missing !== undefined) {
        yield { event: 'skipped', row, seed, reason: missing };
        continue;
      }
      const file = recordFile(records, experiment.name, row.id, seed);
      const stored = await readExperimentRecord(file);
      const place = placeOf(experiment, settings.folder, row.id, seed);
      const isMade = !MAKERS.has(task.kind) || existsSync(taskOutput(task, place));
      if (stored !== undefined && isMade && isRecordCurrent(stored, row.task)) {
        yield { event: 'finished', row, seed, record: stored, isStored: true };
        continue;
      }
      if (settings.isDryRun === true) {
        yield { event: 'planned', row, seed, task };
        continue;
      }
      yield { event: 'started', row, seed, task };
      try {
        const measured = yield* runTask(task, { row, seed, place, backend, signal });
        const record: ExperimentRecord = {
          format: 'dafl-experiment-run',
          version: 1,
          experiment: experiment.name,
          row: row.id,
          seed,
          task: row.task,
          hyperParameters: hyperParametersOf(row.task),
          ...measured,
          commit: await currentCommit(),
          machine: describeMachine(),
          versions: { dafl: daflVersion(), node: process.versions.node },
          measuredAt: new Date().toISOString(),
        };
        await createFolder(dirname(file));
        await writeFileAtomically(file, `${JSON.stringify(record, null, 2)}\n`);
        yield { event: 'finished', row, seed, record, isStored: false };
      } catch (error) {
        if (signal?.aborted === true) throw error;
        yield { event: 'failed', row, seed, reason: (error as Error).message };
      }
    }
  }
}

/** Tasks whose runs of any seed are the same. */
const SEEDLESS: ReadonlySet<Task['kind']> = new Set(['evaluate', 'record', 'derive', 'alter']);

/** Tasks whose records are of no use without what they make. */
const MAKERS: ReadonlySet<Task['kind']> = new Set(['record', 'derive', 'alter']);

/** Of the repository that the process runs in; null outside of one. */
async function currentCommit(): Promise<string | null> {
  try {
    return (await promisify(execFile)('git', ['rev-parse', 'HEAD'])).stdout.trim();
  } catch {
    return null;
  }
}
