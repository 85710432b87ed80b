import { join } from 'node:path';
import { createRandomStream, DaflError, describeModel, initializeWeights } from '@dafl/core';
import { writeModel } from '@dafl/models';
import { createFolder, parseTrainingOptions, runTraining, writeFileAtomically } from '@dafl/run';
import { gauntletGraph } from '../gauntlet-networks.ts';
import type { TaskContext, TaskOf, TaskProgress } from './task-context.ts';
import { nothingMeasured, type TaskOutcome } from './task-outcome.ts';
import { taskOutput } from './task-output.ts';

/** Trains a network on labelled images. */
export async function* trainNetwork(
  task: TaskOf<'train'>,
  { row, seed, place, backend, signal }: TaskContext,
): AsyncGenerator<TaskProgress, TaskOutcome, undefined> {
  const options = parseTrainingOptions({ ...task.options, ...(await placeNetwork(task, place)), backend, seed });
  const evaluations: { step: number; accuracy: number }[] = [];
  const command = `dafl experiment: ${row.id}`;
  for await (const event of runTraining(options, { file: taskOutput(task, place), force: true, command, signal })) {
    if (event.event === 'step') {
      const { step, steps, secondsLeft } = event;
      yield { event: 'step', row, seed, step, steps, secondsLeft };
    } else if (event.event === 'evaluation') {
      evaluations.push({ step: event.step, accuracy: event.accuracy });
    } else if (event.event === 'result') {
      const { parameters, multiplyAccumulates } = describeModel(event.model.graph);
      const { accuracy = null, steps, backend: description } = event;
      const described = { parameters, multiplyAccumulates, backend: description };
      return { ...nothingMeasured, accuracy, steps, evaluations, ...described };
    }
  }
  throw new DaflError('USAGE', `Cannot record '${row.id}' as its training must end with a result: it has none`);
}

/** Writes the network of a training that names no architecture. */
async function placeNetwork({ network }: TaskOf<'train'>, place: string): Promise<{ readonly architecture?: string }> {
  if (network === undefined) return {};
  const architecture = join(place, 'network.safetensors');
  await createFolder(place);
  const model = initializeWeights(gauntletGraph(network), createRandomStream(0, 'weights'));
  await writeFileAtomically(architecture, writeModel(model));
  return { architecture };
}
