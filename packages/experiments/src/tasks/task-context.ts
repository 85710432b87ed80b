import type { BackendName } from '@dafl/run/options';
import type { ExperimentRow, Task } from '../experiment.ts';

/** A task of one kind. */
export type TaskOf<Kind extends Task['kind']> = Extract<Task, { readonly kind: Kind }>;

/** What every task is given beside itself. */
export interface TaskContext {
  /** The row that it is of. */
  readonly row: ExperimentRow;
  readonly seed: number;
  /** Folder for what it makes. */
  readonly place: string;
  readonly backend: 'auto' | BackendName;
  readonly signal?: AbortSignal;
}

/** What a long task tells on the way. */
export interface TaskProgress {
  readonly event: 'step';
  readonly row: ExperimentRow;
  readonly seed: number;
  readonly step: number;
  readonly steps: number;
  readonly secondsLeft: number;
}
