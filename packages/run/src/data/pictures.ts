import { readdir, readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { DaflError, type ImageSet } from '@dafl/core';
import { collectImages, type DecodedImage, decodeImage } from '@dafl/data';
import { listFolder } from '../folder/write-file-atomically.ts';
import { systemErrorCode } from '../folder/storage-error.ts';

/** Names of pictures. */
const PICTURE = /\.(png|jpe?g)$/i;
/** What systems and archives leave beside pictures and their folders: `.git`, `._1.png`, `.ipynb_checkpoints`, `__MACOSX`. */
export const LEFT_BY_SYSTEMS: RegExp = /^\.|^__MACOSX$/;

/** Options of `readPictures`. */
export interface ReadPicturesOptions {
  /** Height and width that all are brought to where they are not of one size, as `dafl predict` does it. Default: the first's. */
  readonly pictureSize?: readonly [height: number, width: number];
  readonly signal?: AbortSignal;
}

/** Paths of the PNG and JPEG files of a folder, with `isDeep` also of those beneath it, in the order of their names. */
export async function listPictures(
  folder: string,
  { isDeep = false }: { readonly isDeep?: boolean } = {},
): Promise<string[]> {
  const names = isDeep ? await readdir(folder, { recursive: true }) : await listFolder(folder);
  const isMeant = (name: string): boolean => !name.split(sep).some((part) => LEFT_BY_SYSTEMS.test(part));
  return names
    .filter((name) => PICTURE.test(name) && isMeant(name))
    .sort()
    .map((name) => join(folder, name));
}

/** @throws {DaflError} `DATA` if some are damaged or cannot be read; names them all, as far as they are few. */
export async function readPictures(
  paths: readonly string[],
  { pictureSize, signal, labels }: ReadPicturesOptions & { readonly labels?: Uint32Array } = {},
): Promise<ImageSet> {
  const images: DecodedImage[] = [];
  const failures: [path: string, error: DaflError][] = [];
  let isMixed = false;
  for (const path of paths) {
    signal?.throwIfAborted();
    const image = await decodePicture(path).catch((error: unknown) => {
      if (!(error instanceof DaflError)) throw error;
      failures.push([path, error]);
      return undefined;
    });
    // What is left is only read to know of all that are broken.
    if (image === undefined || failures.length > 0) continue;
    const [first = image] = images;
    if (pictureSize !== undefined && !isMixed && (image.height !== first.height || image.width !== first.width)) {
      isMixed = true;
      // At once, as photographs at their full size would not fit into memory together.
      for (const [index, each] of images.entries()) images[index] = resize(each, pictureSize);
    }
    images.push(isMixed && pictureSize !== undefined ? resize(image, pictureSize) : image);
  }
  if (failures.length > 0) throw joinFailures(failures);
  return collectImages(images, { labels });
}

const MOST_NAMED = 5;

/** One error of several files, so that they are not found one by one. */
function joinFailures([[, first], ...others]: readonly [path: string, error: DaflError][]): DaflError {
  if (others.length === 0) return first;
  const named = others.slice(0, MOST_NAMED).map(([path]) => `'${path}'`);
  const more = others.length > MOST_NAMED ? `, and ${others.length - MOST_NAMED} more` : '';
  return new DaflError(first.code, `${first.message}. Nor can these be read: ${named.join(', ')}${more}`, {
    cause: first,
  });
}

async function decodePicture(path: string): Promise<DecodedImage> {
  try {
    return decodeImage(await readFile(path), path);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    throw new DaflError('DATA', `Cannot read '${path}' as it must be a PNG or JPEG file: current error is ${code}`, {
      cause: error,
    });
  }
}

function resize(image: DecodedImage, [height, width]: readonly [height: number, width: number]): DecodedImage {
  const { pixels } = collectImages([image], { height, width });
  return { height, width, channels: image.channels, pixels: Uint8Array.from(pixels) };
}
