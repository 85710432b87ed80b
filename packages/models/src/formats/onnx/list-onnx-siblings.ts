import { openOnnx } from './read-onnx.ts';

/**
 * The files beside an ONNX file that hold its weights: for programs that run it without a file system.
 *
 * @param name How errors call it.
 * @returns How many bytes each must have at least, by plain name.
 * @throws {DaflError} `MODEL` if the file is damaged, or names a file elsewhere.
 */
export function listOnnxSiblings(bytes: Uint8Array, name: string): ReadonlyMap<string, number> {
  return openOnnx(bytes, name).siblings;
}
