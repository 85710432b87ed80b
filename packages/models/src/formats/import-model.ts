import { isPixelConvention, type PixelConvention, setPixelConvention } from '../set-pixel-convention.ts';
import { recognizeFormat } from './_recognize-format.ts';
import { readModel } from './native-model.ts';
import { type ImportedModel, openOnnx } from './onnx/read-onnx.ts';

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
  /** Reads a file beside the model that holds weights of it; absent: such models are refused. */
  readonly readSibling?: ReadSibling;
}

/**
 * Reads a model of any format that is known: dafl's own or ONNX, found out by content.
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
  const { pixels = {}, readSibling } = options;
  if (isOnnx(bytes, name)) {
    const opened = openOnnx(bytes, name);
    const siblings = new Map<string, Uint8Array>();
    if (readSibling !== undefined) {
      for (const [sibling, leastBytes] of opened.siblings)
        siblings.set(sibling, await readSibling(sibling, leastBytes));
    }
    return opened.read({ siblings, pixels });
  }
  const model = readModel(bytes, name);
  return { model: isPixelConvention(pixels) ? setPixelConvention(model, pixels) : model, notes: [] };
}

function isOnnx(bytes: Uint8Array, name: string): boolean {
  return bytes[8] !== 0x7b && recognizeFormat(bytes, name) === 'ONNX';
}
