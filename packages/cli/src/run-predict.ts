import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { createWasmBackend } from '@dafl/backend-wasm';
import { classify, createNetwork, DaflError, describeClassifier } from '@dafl/core';
import { collectImages, type DecodedImage, decodeImage } from '@dafl/data';
import { loadModel } from '@dafl/run/load-model';
import type { CommandContext, FlagValues } from './command.ts';
import { exitCodes } from './exit-code.ts';
import { formatPercent, formatTable } from './format.ts';
import { integerFlag } from './integer-flag.ts';
import { readPixelFlags } from './pixel-flags.ts';

const PICTURE = /\.(png|jpe?g)$/i;
/** Pictures that are held in memory together. */
const BATCH = 64;

/** Runs `dafl predict`. @returns The exit code. */
export async function runPredict(
  source: string,
  named: readonly string[],
  values: FlagValues,
  { terminal, isJson, signal }: CommandContext,
): Promise<number> {
  const top = integerFlag('predict', values, 'top', { least: 1, most: 1000 }) ?? 3;
  const [{ model, notes }, names] = await Promise.all([
    loadModel(source, readPixelFlags(values, 'predict')),
    listImages(named),
  ]);
  for (const note of notes) terminal.err(`${terminal.style('yellow', 'note:', 'err')} ${note}\n`);
  const { inputShape } = describeClassifier(model.graph);
  const [height, width, channels] = inputShape;
  // The quickest to start: threads and GPUs take longer than the images do.
  const backend = await createWasmBackend({ threads: 1 });
  try {
    const network = createNetwork(backend, model);
    const rows: string[][] = [];
    for (let begin = 0; begin < names.length; begin += BATCH) {
      signal.throwIfAborted();
      const batch = names.slice(begin, begin + BATCH);
      const decoded = await Promise.all(batch.map(readImage));
      const images = collectImages(decoded, { height, width, channels: channels === 3 ? 3 : 1 });
      const found = await classify(network, images, { signal });
      found.forEach(({ label, className, probabilities }, index) => {
        const image = batch[index];
        const best = [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a]).slice(0, top);
        const nameOf = (other: number): string => model.graph.classNames?.[other] ?? String(other);
        if (isJson) {
          const probable = best.map((other) => ({
            label: other,
            name: nameOf(other),
            probability: probabilities[other],
          }));
          const prediction = { label, name: className ?? String(label), probability: probabilities[label] };
          terminal.out(`${JSON.stringify({ event: 'prediction', image, ...prediction, classes: probable })}\n`);
          return;
        }
        rows.push([image, ...best.flatMap((other) => [nameOf(other), formatPercent(probabilities[other])])]);
      });
    }
    network.dispose();
    if (isJson) terminal.out(`${JSON.stringify({ event: 'result', model: source, count: names.length })}\n`);
    else terminal.out(formatTable(rows));
    return exitCodes.done;
  } finally {
    await backend.close();
  }
}

/** The files that are meant: folders stand for the pictures in them. */
async function listImages(named: readonly string[]): Promise<string[]> {
  const lists = await Promise.all(
    named.map(async (name) => {
      if (name === '-') return [name];
      const isFolder = await stat(name).then(
        (entry) => entry.isDirectory(),
        () => false,
      );
      if (!isFolder) return [name];
      const pictures = (await readdir(name)).filter((entry) => PICTURE.test(entry)).sort();
      if (pictures.length === 0) {
        throw new DaflError('DATA', `Cannot read '${name}' as a folder must hold PNG or JPEG files: found none`);
      }
      return pictures.map((entry) => join(name, entry));
    }),
  );
  return lists.flat();
}

async function readImage(name: string): Promise<DecodedImage> {
  if (name === '-') return decodeImage(await buffer(process.stdin), 'stdin');
  try {
    return decodeImage(await readFile(name), name);
  } catch (error) {
    if (error instanceof DaflError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new DaflError('DATA', `Cannot read '${name}' as it must be a PNG or JPEG file: current error is ${code}`, {
      cause: error,
    });
  }
}
