import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { nearestName } from './nearest-name.ts';

/**
 * What a path that leads nowhere probably means, as the end of a message: one of the names that may stand there, or
 * something in the folder that the path names.
 *
 * @returns `''` where nothing is near.
 */
export async function suggestName(path: string, names: readonly string[]): Promise<string> {
  // Not itself: a link that leads nowhere is there.
  const beside = (await readdir(dirname(path)).catch(() => [])).filter((name) => name !== basename(path));
  const nearby = nearestName(basename(path), beside);
  // As it was typed, with ./ or without.
  const inFolder = nearby === undefined ? undefined : basename(path) === path ? nearby : join(dirname(path), nearby);
  const near = nearestName(path, inFolder === undefined ? names : [...names, inFolder]) ?? inFolder;
  return near === undefined ? '' : `. Did you mean '${near}'?`;
}
