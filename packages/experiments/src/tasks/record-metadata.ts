import { recordTeacherMetadata } from '@dafl/run';
import type { TaskContext, TaskOf } from './task-context.ts';
import { nothingMeasured, type TaskOutcome } from './task-outcome.ts';
import { taskOutput } from './task-output.ts';

/** Records what a teacher's layers hold of its data. */
export async function recordMetadata(
  task: TaskOf<'record'>,
  { place, backend, signal }: TaskContext,
): Promise<TaskOutcome> {
  const { teacher, data } = task;
  await recordTeacherMetadata({ teacher, data, file: taskOutput(task, place), backend, force: true, signal });
  return nothingMeasured;
}
