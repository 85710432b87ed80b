import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeImage } from '@dafl/data';
import { listFolder } from '../folder/write-file-atomically.ts';

/** Names of pictures. */
const PICTURE = /\.(png|jpe?g)$/i;

/** Paths of the PNG and JPEG files of a folder, in the order of their names. */
export async function listPictures(folder: string): Promise<string[]> {
  const names = (await listFolder(folder)).filter((name) => PICTURE.test(name)).sort();
  return names.map((name) => join(folder, name));
}

/** @throws {DaflError} `DATA` if one is damaged. */
export async function decodePictures(
  paths: readonly string[],
  { signal }: { readonly signal?: AbortSignal },
): Promise<ReturnType<typeof decodeImage>[]> {
  const images: ReturnType<typeof decodeImage>[] = [];
  for (const path of paths) {
    signal?.throwIfAborted();
    images.push(decodeImage(await readFile(path), path));
  }
  return images;
}
