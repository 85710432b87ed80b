import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunFolder } from '../folder/run-folder.ts';
import { fitPicture } from './figures/picture.ts';
import { readSamplesImage, type StoredSamples } from './samples-image.ts';
import { listFolder } from '../folder/write-file-atomically.ts';

/** Most moments that a report shows; of more, evenly chosen ones, the last included. */
const MOST_MOMENTS = 20;
/** Longest side of an image in a report; larger ones are made smaller. */
const MOST_SIDE = 64;
/** Of more classes, one image of each is shown. */
const FEW_CLASSES = 12;

/** Reads the pictures of a run's samples in the order of their steps, up to one step. Damaged ones are left out. */
export async function readSamples(folder: RunFolder, lastStep: number, classes: number): Promise<StoredSamples[]> {
  const files = (await listFolder(folder.samples))
    .map((name) => ({ name, step: Number(/^step-(\d+)\.png$/.exec(name)?.[1] ?? NaN) }))
    .filter(({ step }) => step <= lastStep)
    .sort((a, b) => a.step - b.step);
  const count = Math.min(files.length, MOST_MOMENTS);
  const chosen = Array.from(
    { length: count },
    (_, index) => files[Math.ceil(((index + 1) * files.length) / count) - 1],
  );
  const found: StoredSamples[] = [];
  // One after the other: those of large images are large.
  for (const { name } of chosen) {
    const file = await readFile(join(folder.samples, name));
    try {
      const { images, ...rest } = readSamplesImage(file, classes <= FEW_CLASSES ? Infinity : 1);
      found.push({
        ...rest,
        images: images.map((image) => ({ ...image, picture: fitPicture(image.picture, MOST_SIDE) })),
      });
    } catch {
      // A picture that somebody damaged costs its moment, not the report.
    }
  }
  return found;
}
