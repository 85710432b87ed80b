import { basename } from 'node:path';
import { fail, type ImageSet } from '@dafl/core';
import { parseCifar } from '@dafl/data';
import type { DataFiles } from './data-files.ts';
import type { Split } from './split.ts';

/** Files of CIFAR's binary version, and the bytes before each image. */
interface CifarFiles {
  readonly names: readonly string[];
  readonly labelBytes: 1 | 2;
}

/** The files of one split, if there are those of CIFAR-10 or CIFAR-100. */
export function findCifarFiles({ names }: DataFiles, split: Split): CifarFiles | undefined {
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

/** Reads those files, one after the other. @throws {DaflError} `DATA` */
export async function readCifar(files: DataFiles, { names, labelBytes }: CifarFiles): Promise<ImageSet> {
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
