import { join } from 'node:path';
import type { ImageSet } from '@dafl/core';
import { writeIdx } from '@dafl/data';
import { createFolder, loadLabelledImages, writeFileAtomically } from '@dafl/run';
import { changeImages } from '../change-images.ts';
import { joinImages } from '../join-images.ts';
import type { TaskContext, TaskOf } from './task-context.ts';
import { nothingMeasured, type TaskOutcome } from './task-outcome.ts';
import { taskOutput } from './task-output.ts';

/** Makes a data set of others. */
export async function deriveData(task: TaskOf<'derive'>, { place, signal }: TaskContext): Promise<TaskOutcome> {
  const { sources, change } = task;
  for (const [split, prefix] of [
    ['train', 'train'],
    ['test', 't10k'],
  ] as const) {
    const sets: ImageSet[] = [];
    for (const source of sources) sets.push(await loadLabelledImages(source, { split, signal }));
    await writeImages(taskOutput(task, place), prefix, changeImages(joinImages(sets), change, split));
  }
  return nothingMeasured;
}

/** Writes one half of a data set as IDX files. */
async function writeImages(folder: string, prefix: string, images: ImageSet): Promise<void> {
  const { count, height, width, channels, pixels, labels } = images;
  const shape = channels === 1 ? [count, height, width] : [count, height, width, channels];
  await createFolder(folder);
  const imagesFile = join(folder, `${prefix}-images-idx${shape.length}-ubyte`);
  await writeFileAtomically(imagesFile, writeIdx({ shape, data: pixels }));
  const labelsFile = join(folder, `${prefix}-labels-idx1-ubyte`);
  await writeFileAtomically(labelsFile, writeIdx({ shape: [count], data: Uint8Array.from(labels!) }));
}
