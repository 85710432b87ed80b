import type { ExperimentRecord } from '../experiment-record.ts';

/** What a task came to, of what a record holds. */
export type TaskOutcome = Pick<
  ExperimentRecord,
  | 'accuracy'
  | 'teacherAccuracy'
  | 'agreement'
  | 'verdict'
  | 'method'
  | 'fitted'
  | 'steps'
  | 'evaluations'
  | 'classCounts'
  | 'parameters'
  | 'multiplyAccumulates'
  | 'backend'
> & {
  /** Of the sessions before, where the run went on from a checkpoint. */
  readonly earlierSeconds?: number;
};

/** Of a task that measures nothing. */
export const nothingMeasured: TaskOutcome = {
  accuracy: null,
  teacherAccuracy: null,
  agreement: null,
  steps: null,
  evaluations: [],
  classCounts: null,
  parameters: null,
  multiplyAccumulates: null,
  backend: null,
};
