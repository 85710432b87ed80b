import { isPixelConvention, type PixelConvention, setPixelConvention } from '../set-pixel-convention.ts';
import { recognizeFormat } from './_recognize-format.ts';
import { readModel } from './native-model.ts';
import { type ImportedModel, listExternalFiles, readOnnx } from './onnx/read-onnx.ts';

/** Options of `importModel`. */
export interface ImportModelOptions {
  /** What the network takes, where the file does not say so or errs. */
  readonly pixels?: PixelConvention;
  /** Content of the files beside the model that hold its weights, by name: see `listSiblings`. */
  readonly siblings?: ReadonlyMap<string, Uint8Array>;
}

/**
 * Reads a model of any format that is known: dafl's own or ONNX, found out by content.
 *
 * @param bytes The whole file, which may come from anywhere: all of it is checked.
 * @param name How errors call it; its extension helps to say what it is.
 * @throws {DaflError} `MODEL` if it is of another format, damaged, or can't be turned into dafl's nodes.
 */
export function importModel(bytes: Uint8Array, name: string, options: ImportModelOptions = {}): ImportedModel {
  const { pixels = {}, siblings } = options;
  if (isOnnx(bytes, name)) return readOnnx(bytes, name, { siblings, pixels });
  const model = readModel(bytes, name);
  return { model: isPixelConvention(pixels) ? setPixelConvention(model, pixels) : model, notes: [] };
}

/** Names of files in a model's folder that it needs: plain names. None for formats of one file. */
export function listSiblings(bytes: Uint8Array, name: string): string[] {
  return isOnnx(bytes, name) ? listExternalFiles(bytes, name) : [];
}

function isOnnx(bytes: Uint8Array, name: string): boolean {
  return bytes[8] !== 0x7b && recognizeFormat(bytes, name) === 'ONNX';
}
