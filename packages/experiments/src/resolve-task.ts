import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DataName, Experiment, Task } from './experiment.ts';
import { taskOutput } from './tasks/task-output.ts';

/** What references in tasks are to. */
export interface TaskSources {
  /** Folder for what the runs make. */
  readonly folder: string;
  /** Folders of data by name. MNIST needs none. */
  readonly data: Readonly<Partial<Record<DataName, string>>>;
  /** Model files by name, for rows whose teacher is given: `fixture:name`. */
  readonly fixtures?: Readonly<Record<string, string>>;
  /** Only what would be run is told, so that nothing is missing that a run would make. */
  readonly isDryRun?: boolean;
}

/** Folder for what a row's run of one seed makes. */
export function placeOf(experiment: Experiment, folder: string, rowId: string, seed: number): string {
  return join(folder, experiment.name, `${rowId}-seed-${seed}`);
}

/** Puts references in place, or says what is missing. */
export function resolveTask(
  task: Task,
  experiment: Experiment,
  { folder, data, fixtures, isDryRun }: TaskSources,
): { readonly task: Task; readonly missing?: string } {
  let missing: string | undefined;
  const resolve = (value: unknown): unknown => {
    const match = typeof value === 'string' ? /^(data|row|fixture):(.+)$/.exec(value) : null;
    if (match === null) return value;
    const [, kind, name] = match;
    if (kind === 'data') {
      const given = data[name as DataName];
      if (given === undefined) missing = `its data is not given: --${name} FOLDER`;
      return given ?? '';
    }
    if (kind === 'fixture') {
      const file = fixtures?.[name];
      if (file === undefined || !existsSync(file)) missing = `its teacher is not given: ${name}`;
      return file ?? '';
    }
    const row = experiment.rows.find(({ id }) => id === name)!;
    const file = taskOutput(row.task, placeOf(experiment, folder, name, row.seeds[0]));
    if (!existsSync(file) && isDryRun !== true) missing = `it needs what '${name}' makes, which was not run`;
    return file;
  };
  const resolved = JSON.parse(JSON.stringify(task), (_, value: unknown) => resolve(value)) as Task;
  return { task: resolved, missing };
}
