import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunFolder } from './run-folder.ts';
import { listFolder } from './write-file-atomically.ts';

/** One grid of generated images. */
export interface StoredSamples {
  readonly step: number;
  /** A PNG file. */
  readonly image: Uint8Array;
}

/** Most grids that a report holds; of more, evenly chosen ones, the last included. */
const MOST_GRIDS = 24;

/** Reads the grids of a run in the order of their steps, up to one step. */
export async function readSamples(folder: RunFolder, lastStep: number): Promise<StoredSamples[]> {
  const files = (await listFolder(folder.samples))
    .map((name) => ({ name, step: Number(/^step-(\d+)\.png$/.exec(name)?.[1] ?? NaN) }))
    .filter(({ step }) => step <= lastStep)
    .sort((a, b) => a.step - b.step);
  const count = Math.min(files.length, MOST_GRIDS);
  const chosen = Array.from(
    { length: count },
    (_, index) => files[Math.ceil(((index + 1) * files.length) / count) - 1],
  );
  return await Promise.all(
    chosen.map(async ({ name, step }) => ({ step, image: await readFile(join(folder.samples, name)) })),
  );
}
