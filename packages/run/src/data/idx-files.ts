import { basename } from 'node:path';
import { fail, type ImageSet } from '@dafl/core';
import { imageSetFromIdx, parseIdx } from '@dafl/data';
import type { DataFiles } from './data-files.ts';
import { verifyMnistFile } from './mnist-files.ts';
import type { Split } from './split.ts';

/** Reads the images and labels of one split; `isOfficial` says that they must be MNIST's own. @throws {DaflError} `DATA` */
export async function readIdx(
  files: DataFiles,
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

function findIdxFile(
  { source, names }: DataFiles,
  split: Split,
  kind: 'images' | 'labels',
  isOfficial: boolean,
): string {
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
