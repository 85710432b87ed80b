import { join } from 'node:path';
import { DaflError, type ImageSet } from '@dafl/core';
import { listFolder } from '../folder/write-file-atomically.ts';
import { DATA_FILE } from './data-files.ts';
import { isFolder } from './is-folder.ts';
import { LEFT_BY_SYSTEMS, listPictures, readPictures, type ReadPicturesOptions } from './pictures.ts';
import type { Split } from './split.ts';

const SPLIT_FOLDERS: Readonly<Record<Split, readonly string[]>> = {
  train: ['train', 'training'],
  test: ['test', 'testing', 'val', 'valid', 'validation'],
};

/** The folder of a split, written small or large; the first of its names where there are several. */
function findSplitFolder(folders: readonly string[], split: Split): string | undefined {
  const small = folders.map((name) => name.toLowerCase());
  const found = SPLIT_FOLDERS[split].find((name) => small.includes(name));
  return found === undefined ? undefined : folders[small.indexOf(found)];
}

/** Where the classes of one split lie. */
interface ClassFolders {
  readonly root: string;
  /** Names of the classes of all splits, sorted: a class has the same label in each, even where one lacks it. */
  readonly names: readonly string[];
}

/** The folders that hold the pictures of one class each; undefined if the source is not laid out so. */
export async function findClassFolders(source: string, split: Split): Promise<ClassFolders | undefined> {
  if (!(await isFolder(source))) return undefined;
  // Where there are data set files, folders beside them are something else.
  if ((await listFolder(source)).some((name) => DATA_FILE.test(name))) return undefined;
  const folders = await listSubfolders(source);
  const named = findSplitFolder(folders, split);
  const ofSplits = [...SPLIT_FOLDERS.train, ...SPLIT_FOLDERS.test];
  const splits = folders.filter((name) => ofSplits.includes(name.toLowerCase()));
  if (splits.length > 0 && named === undefined) {
    throw new DaflError(
      'DATA',
      `Cannot read data from '${source}' as there must be a folder '${SPLIT_FOLDERS[split][0]}': current folders are [${folders.join(', ')}]`,
    );
  }
  if (named === undefined) return folders.length === 0 ? undefined : { root: source, names: await listClasses(source) };
  const names = await Promise.all(splits.map((name) => listClasses(join(source, name))));
  const root = join(source, named);
  return (await listSubfolders(root)).length === 0 ? undefined : { root, names: sortNames([...new Set(names.flat())]) };
}

/** Whether a source keeps test images apart from those to train on: class folders may lie there without `train` and `test`. */
export async function hasTestImages(source: string): Promise<boolean> {
  if (source === 'mnist') return true;
  const folders = (await isFolder(source)) ? await listSubfolders(source) : [];
  // Training images and no others.
  if (findSplitFolder(folders, 'train') !== undefined && findSplitFolder(folders, 'test') === undefined) return false;
  return (await findClassFolders(source, 'test'))?.root !== source;
}

async function listSubfolders(folder: string): Promise<string[]> {
  const names = (await listFolder(folder)).filter((name) => !LEFT_BY_SYSTEMS.test(name));
  const kinds = await Promise.all(names.map((name) => isFolder(join(folder, name))));
  return sortNames(names.filter((_, index) => kinds[index]));
}

/** Names of the classes of a folder. macOS takes accents apart in the names of files, so that one class may be called in two ways. */
async function listClasses(folder: string): Promise<string[]> {
  return sortNames((await listSubfolders(folder)).map((name) => name.normalize()));
}

/** Numbers by their value, other names by their letters. */
function sortNames(names: readonly string[]): string[] {
  const isNumbered = names.every((name) => /^\d+$/.test(name));
  return isNumbered ? names.toSorted((a, b) => Number(a) - Number(b)) : names.toSorted();
}

/** Reads the pictures of all classes, also those in folders of a class's folder. @throws {DaflError} `DATA` */
export async function readClassFolders(
  { root, names: classNames }: ClassFolders,
  options: ReadPicturesOptions,
): Promise<ImageSet> {
  const paths: string[] = [];
  const labels: number[] = [];
  const present = new Map((await listSubfolders(root)).map((name) => [name.normalize(), name]));
  for (const [label, className] of classNames.entries()) {
    const name = present.get(className);
    if (name === undefined) continue;
    const folder = join(root, name);
    const pictures = await listPicturesOfClass(folder);
    for (const path of pictures) {
      paths.push(path);
      labels.push(label);
    }
  }
  return { ...(await readPictures(paths, { ...options, labels: Uint32Array.from(labels) })), classNames };
}

async function listPicturesOfClass(folder: string): Promise<string[]> {
  const content = (await listFolder(folder)).filter((name) => !LEFT_BY_SYSTEMS.test(name));
  // A data set of its own within the folder that was named is no class.
  const isDataSet = content.some((name) =>
    [...SPLIT_FOLDERS.train, ...SPLIT_FOLDERS.test].includes(name.toLowerCase()),
  );
  const pictures = isDataSet ? [] : await listPictures(folder, { isDeep: true });
  if (pictures.length > 0) return pictures;
  const found =
    content.length === 0 ? 'none' : `[${content.slice(0, 3).join(', ')}${content.length > 3 ? ', ...' : ''}]`;
  throw new DaflError(
    'DATA',
    `Cannot read data from '${folder}' as the folder of a class must hold PNG or JPEG files: found ${found}`,
  );
}
