import { readFile, stat } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { createWasmBackend } from '@dafl/backend-wasm';
import { classify, createNetwork, DaflError, describeClassifier, type Model, type Classification } from '@dafl/core';
import { collectImages, type DecodedImage, decodeImage } from '@dafl/data';

import { listPictures } from '../data/pictures.ts';
import { suggestName } from '../options/suggest-name.ts';

/** Pictures that are held in memory together. */
const BATCH = 64;

/** What a network says of one picture. */
export interface ImagePrediction extends Classification {
  /** Path of the file, or `-`. */
  readonly image: string;
}

/** Options of `predictImages`. */
export interface PredictImagesOptions {
  readonly signal?: AbortSignal;
  /** Called for each picture that cannot be read, which is left out; absent: the first ends it. */
  readonly onUnread?: (error: DaflError) => void;
}

/**
 * Tells the classes of pictures, in the order in which they are named.
 *
 * @param named Paths of PNG or JPEG files or of folders, with all that are beneath them; `-` is what comes in by standard input.
 * @throws {DaflError} `DATA` if one cannot be read and there is no `onUnread`. `AbortError` if the signal is aborted.
 */
export async function* predictImages(
  model: Model,
  named: readonly string[],
  { signal, onUnread }: PredictImagesOptions = {},
): AsyncGenerator<ImagePrediction, void, undefined> {
  /** In the order in which they are named, whichever was read first. */
  const keep = <Result>(settled: PromiseSettledResult<Result>): Result[] => {
    if (settled.status === 'fulfilled') return [settled.value];
    if (onUnread === undefined || !(settled.reason instanceof DaflError)) throw settled.reason;
    onUnread(settled.reason);
    return [];
  };
  const names = (await Promise.allSettled(named.map(listImages))).flatMap(keep).flat();
  const [height, width, channels] = describeClassifier(model.graph).inputShape;
  // The quickest to start: threads and GPUs take longer than the images do.
  const backend = await createWasmBackend({ threads: 1 });
  try {
    const network = createNetwork(backend, model);
    for (let begin = 0; begin < names.length; begin += BATCH) {
      signal?.throwIfAborted();
      const read = names.slice(begin, begin + BATCH).map(async (name) => ({ name, decoded: await readImage(name) }));
      const batch = (await Promise.allSettled(read)).flatMap(keep);
      if (batch.length === 0) continue;
      const pictures = batch.map(({ decoded }) => decoded);
      const images = collectImages(pictures, { height, width, channels: channels === 3 ? 3 : 1 });
      for (const [index, prediction] of (await classify(network, images, { signal })).entries())
        yield { image: batch[index].name, ...prediction };
    }
    network.dispose();
  } finally {
    await backend.close();
  }
}

/** The files that are meant: a folder stands for all pictures beneath it. */
async function listImages(name: string): Promise<string[]> {
  if (name === '-') return [name];
  const isFolder = await stat(name).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
  if (!isFolder) return [name];
  const pictures = await listPictures(name, { isDeep: true });
  if (pictures.length === 0)
    throw new DaflError('DATA', `Cannot read '${name}' as a folder must hold PNG or JPEG files: found none`);
  return pictures;
}

async function readImage(name: string): Promise<DecodedImage> {
  if (name === '-') return decodeImage(await buffer(process.stdin), 'stdin');
  try {
    return decodeImage(await readFile(name), name);
  } catch (error) {
    if (error instanceof DaflError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    const found = code === 'ENOENT' ? `no such file${await suggestName(name, [])}` : `current error is ${code}`;
    throw new DaflError('DATA', `Cannot read '${name}' as it must be a PNG or JPEG file: ${found}`, { cause: error });
  }
}
