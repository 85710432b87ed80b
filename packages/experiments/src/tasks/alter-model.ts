import { foldBatchNorms, scaleLogits } from '@dafl/core';
import { writeModel } from '@dafl/models';
import { createFolder, writeFileAtomically } from '@dafl/run';
import { loadModel } from '@dafl/run/load-model';
import type { TaskContext, TaskOf } from './task-context.ts';
import { nothingMeasured, type TaskOutcome } from './task-outcome.ts';
import { taskOutput } from './task-output.ts';

/** Makes a classifier of another. */
export async function alterModel(task: TaskOf<'alter'>, { place }: TaskContext): Promise<TaskOutcome> {
  const { model } = await loadModel(task.model);
  const altered = scaleLogits(task.folds === true ? foldBatchNorms(model) : model, task.logitFactor ?? 1);
  await createFolder(place);
  await writeFileAtomically(taskOutput(task, place), writeModel(altered));
  return nothingMeasured;
}
