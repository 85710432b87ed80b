import { createReject } from '../_reject.ts';
import { chooseOutput } from './choose-output.ts';
import { inlineFunctions } from './inline-functions.ts';
import { parseOnnx } from './parse-onnx.ts';

/**
 * The output of an ONNX file that tells its classes: for programs that run it and see several.
 *
 * @param name How errors call it.
 * @returns Undefined where it has none, or all of them name a class alone.
 * @throws {DaflError} `MODEL` if the file is damaged.
 */
export function nameOnnxOutput(bytes: Uint8Array, name: string): string | undefined {
  const reject = createReject(name, 'an ONNX model');
  const chosen = chooseOutput(inlineFunctions(parseOnnx(bytes, reject), reject));
  return chosen?.name === chosen?.output ? chosen?.output : undefined;
}
