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

/** @throws {DaflError} `DATA` if one is damaged or cannot be read. */
export async function readPictures(
  paths: readonly string[],
  { pictureSize, signal, labels }: ReadPicturesOptions & { readonly labels?: Uint32Array } = {},
): Promise<ImageSet> {
  const images: DecodedImage[] = [];
  let isMixed = false;
  for (const path of paths) {
    signal?.throwIfAborted();
    const image = await decodePicture(path);
    const [first = image] = images;
    if (pictureSize !== undefined && !isMixed && (image.height !== first.height || image.width !== first.width)) {
      isMixed = true;
      // At once, as photographs at their full size would not fit into memory together.
      for (const [index, each] of images.entries()) images[index] = resize(each, pictureSize);
    }
    images.push(isMixed && pictureSize !== undefined ? resize(image, pictureSize) : image);
  }
  return collectImages(images, { labels });
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
