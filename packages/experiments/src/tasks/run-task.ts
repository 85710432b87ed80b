import type { Task } from '../experiment.ts';
import type { ExperimentRecord } from '../experiment-record.ts';
import { alterModel } from './alter-model.ts';
import { deriveData } from './derive-data.ts';
import { distillStudent } from './distill-student.ts';
import { evaluateModel } from './evaluate-model.ts';
import { recordMetadata } from './record-metadata.ts';
import type { TaskContext, TaskProgress } from './task-context.ts';
import type { TaskOutcome } from './task-outcome.ts';
import { trainNetwork } from './train-network.ts';

/** An outcome with what it took: of the processor's time nothing is known where there were several sessions. */
export type TimedOutcome = Omit<TaskOutcome, 'earlierSeconds'> & Pick<ExperimentRecord, 'seconds' | 'processorSeconds'>;

/** Runs one task, and takes its time. */
export async function* runTask(
  task: Task,
  context: TaskContext,
): AsyncGenerator<TaskProgress, TimedOutcome, undefined> {
  const startedMs = performance.now();
  const processorStart = process.cpuUsage();
  const { earlierSeconds, ...outcome } = yield* runUntimed(task, context);
  const { user, system } = process.cpuUsage(processorStart);
  return {
    ...outcome,
    seconds: (earlierSeconds ?? 0) + (performance.now() - startedMs) / 1000,
    processorSeconds: earlierSeconds === undefined ? (user + system) / 1e6 : null,
  };
}

async function* runUntimed(task: Task, context: TaskContext): AsyncGenerator<TaskProgress, TaskOutcome, undefined> {
  switch (task.kind) {
    case 'evaluate':
      return await evaluateModel(task, context);
    case 'derive':
      return await deriveData(task, context);
    case 'alter':
      return await alterModel(task, context);
    case 'record':
      return await recordMetadata(task, context);
    case 'train':
      return yield* trainNetwork(task, context);
    case 'distill':
      return yield* distillStudent(task, context);
  }
}
