import { fail, showValue } from '@dafl/core';
import { isPixelConvention, type PixelConvention, setPixelConvention } from '../set-pixel-convention.ts';
import { recognizeFormat } from './_recognize-format.ts';
import { showFileName } from './_reject.ts';
import type { ImportedModel } from './finish-import.ts';
import { isKerasArchive } from './keras/is-keras-archive.ts';
import { GRAPH_KEY, isSafetensors, readModel } from './native-model.ts';
import { parseSafetensors } from './parse-safetensors.ts';
import { isCheckpoint } from './pytorch/is-checkpoint.ts';
import type { StateDict } from './pytorch/state-dict.ts';

/**
 * Reads a file of a model's folder whole.
 *
 * @param name Plain name, without folders.
 * @param leastBytes How long it must be at least, as the model says: worth a check before it is read.
 */
export type ReadSibling = (name: string, leastBytes: number) => Promise<Uint8Array>;

/** Options of `importModel`. */
export interface ImportModelOptions {
  /** What the network takes, where the file does not say so or errs. */
  readonly pixels?: PixelConvention;
  /** Key of `architectures`: what weights by PyTorch's names belong to, where these leave it open. */
  readonly architecture?: string;
  /** Height and width of the pictures, where the file leaves them open. */
  readonly inputSize?: readonly [height: number, width: number];
  /** Reads a file beside the model that holds weights of it; absent: such models are refused. */
  readonly readSibling?: ReadSibling;
}

/**
 * Reads a model of any format that is known: dafl's own, ONNX, Keras, TensorFlow.js, and weights by PyTorch's or timm's names (`.pt`, `.pth`,
 * `.safetensors`) of a built-in architecture. Found out by content.
 *
 * @param bytes The whole file, which may come from anywhere: all of it is checked.
 * @param name How errors call it; its extension helps to say what it is.
 * @throws {DaflError} `MODEL` if it is of another format, damaged, or can't be turned into dafl's nodes.
 */
export async function importModel(
  bytes: Uint8Array,
  name: string,
  options: ImportModelOptions = {},
): Promise<ImportedModel> {
  const { pixels = {}, readSibling, architecture, inputSize } = options;
  // A format's reader is loaded where a file needs it: most that is read is dafl's own.
  const open = isOnnx(bytes, name)
    ? (await import('./onnx/read-onnx.ts')).openOnnx
    : isTfjs(bytes, name)
      ? (await import('./tfjs/open-tfjs.ts')).openTfjs
      : undefined;
  if (open !== undefined) {
    refuseArchitecture(name, architecture);
    const opened = open(bytes, name);
    const siblings = new Map<string, Uint8Array>();
    if (readSibling !== undefined) {
      for (const [sibling, leastBytes] of opened.siblings)
        siblings.set(sibling, await readSibling(sibling, leastBytes));
    }
    return opened.read({ siblings, pixels, inputSize });
  }
  if (isKeras(bytes, name)) {
    refuseArchitecture(name, architecture);
    const { readKeras } = await import('./keras/read-keras.ts');
    return await readKeras(bytes, name, { pixels, inputSize });
  }
  const state = await readWeights(bytes, name);
  if (state !== undefined) {
    const { readStateDict } = await import('./pytorch/read-state-dict.ts');
    return readStateDict(state, name, { architecture, inputSize, pixels });
  }
  const model = readModel(bytes, name);
  refuseArchitecture(name, architecture);
  if (inputSize !== undefined && inputSize.join() !== model.graph.inputShape.slice(0, 2).join()) {
    fail({
      cannot: `read ${showFileName(name)}`,
      as: `'inputSize' must be its own [${model.graph.inputShape.slice(0, 2).join(', ')}]`,
      value: `[${inputSize.join(', ')}]`,
    });
  }
  return { model: isPixelConvention(pixels) ? setPixelConvention(model, pixels) : model, notes: [] };
}

/** What a file says of its network can't be overruled. */
function refuseArchitecture(name: string, architecture: string | undefined): void {
  if (architecture === undefined) return;
  fail({
    cannot: `read ${showFileName(name)}`,
    as: "'architecture' must be given for weights alone, and it holds a network",
    value: showValue(architecture),
  });
}

function isTfjs(bytes: Uint8Array, name: string): boolean {
  // The topology may stand behind a long description of something else.
  if (!/^\s*\{/.test(new TextDecoder('latin1').decode(bytes.subarray(0, 64)))) return false;
  return /model\.json$/i.test(name) || recognizeFormat(bytes, name)?.startsWith('TensorFlow.js') === true;
}

/** Content decides: an archive may be called `.h5`, and an HDF5 file `.keras`. */
function isKeras(bytes: Uint8Array, name: string): boolean {
  const begins = (...expected: readonly number[]) => expected.every((byte, index) => bytes[index] === byte);
  if (begins(0x89, 0x48, 0x44, 0x46)) return true;
  return begins(0x50, 0x4b, 3, 4) && !isCheckpoint(bytes) && (/\.keras$/i.test(name) || isKerasArchive(bytes));
}

function isOnnx(bytes: Uint8Array, name: string): boolean {
  return bytes[8] !== 0x7b && recognizeFormat(bytes, name) === 'ONNX';
}

/** Weights without a network, where the file holds such. */
async function readWeights(bytes: Uint8Array, name: string): Promise<StateDict | undefined> {
  if (isCheckpoint(bytes)) return (await import('./pytorch/read-checkpoint.ts')).readCheckpoint(bytes, name);
  if (!isSafetensors(bytes)) return undefined;
  const { metadata, tensors } = parseSafetensors(bytes, name);
  if (metadata.has(GRAPH_KEY) || tensors.size === 0) return undefined;
  const lazy = [...tensors].map(
    ([key, { dataType, shape, bytes: content }]) => [key, { dataType, shape, bytes: () => content }] as const,
  );
  return { tensors: new Map(lazy), notes: [], metadata, isOrdered: false };
}
