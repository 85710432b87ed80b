import { dirname } from 'node:path';
import { DaflError, fail } from '@dafl/core';
import { listOnnxSiblings, nameOnnxOutput } from '@dafl/models';
import { readSibling } from '../folder/read-sibling.ts';
import { loadOnnxRuntime, type OnnxSession } from './load-onnx-runtime.ts';
import type { AnsweringProgram } from './opaque-model.ts';

/**
 * An ONNX file that onnxruntime runs, whatever operators it has.
 *
 * @param path Of the file; beside it lie its weights where they are external.
 * @param bytes Its content.
 * @throws {DaflError} `USAGE` if no onnxruntime is installed; `MODEL` if it cannot run the file.
 */
export async function onnxRuntime(path: string, bytes: Uint8Array): Promise<AnsweringProgram> {
  const installed = await loadOnnxRuntime();
  if (installed === undefined) {
    fail({
      cannot: `ask '${path}' for answers`,
      as: 'onnxruntime-node must be installed',
      value: 'none. Install it by npm install onnxruntime-node',
    });
  }
  const { InferenceSession, Tensor } = installed.runtime;
  let session: OnnxSession;
  try {
    // The one in WebAssembly sees no files.
    session =
      installed.name === 'onnxruntime-node'
        ? await InferenceSession.create(path)
        : await InferenceSession.create(bytes, { externalData: await readSiblings(path, bytes) });
  } catch (error) {
    if (error instanceof DaflError) throw error;
    throw new DaflError(
      'MODEL',
      `Cannot use '${path}' as a teacher as onnxruntime must run it: current error is ${(error as Error).message}`,
      { cause: error },
    );
  }
  const { inputNames, outputNames, inputMetadata } = session;
  if (inputNames.length !== 1 || inputMetadata[0]?.type !== 'float32') {
    throw new DaflError(
      'MODEL',
      `Cannot use '${path}' as a teacher as it must take one float32 tensor: current inputs are [${inputNames.join(', ')}] of [${inputMetadata.map(({ type }) => type ?? 'unknown').join(', ')}]`,
    );
  }
  const output = outputOf(bytes, path) ?? outputNames[0];
  const [batch, ...imageShape] = inputMetadata[0].shape ?? [];
  // A file of a fixed batch is asked image by image, or as many as it takes.
  const most = typeof batch === 'number' && batch > 0 ? batch : Infinity;
  return {
    name: path,
    imageShape: imageShape.map(Number),
    async run(images, [count, ...shape]) {
      const size = shape.reduce((product, length) => product * length, 1);
      const parts: number[] = [];
      for (let begin = 0; begin < count; begin += most) {
        const asked = Math.min(count - begin, most);
        const length = most === Infinity ? asked : most;
        const feed = new Float32Array(length * size);
        feed.set(images.subarray(begin * size, (begin + asked) * size));
        const outputs = await session.run({ [inputNames[0]]: new Tensor('float32', feed, [length, ...shape]) });
        const { data } = outputs[output];
        if (!(data instanceof Float32Array) && !(data instanceof Float64Array)) {
          throw new DaflError(
            'MODEL',
            `Cannot use '${path}' as a teacher as its output '${output}' must be floats, one for each class: current type is ${data.constructor.name}`,
          );
        }
        for (let index = 0; index < (data.length / length) * asked; index++) parts.push(data[index]);
      }
      return Float32Array.from(parts);
    },
  };
}

/** The output with the classes; undefined where the file says less to dafl than to onnxruntime. */
function outputOf(bytes: Uint8Array, path: string): string | undefined {
  try {
    return nameOnnxOutput(bytes, path);
  } catch (error) {
    if (error instanceof DaflError) return undefined;
    throw error;
  }
}

async function readSiblings(path: string, bytes: Uint8Array): Promise<{ path: string; data: Uint8Array }[]> {
  const siblings: { path: string; data: Uint8Array }[] = [];
  for (const [name, leastBytes] of listOnnxSiblings(bytes, path))
    siblings.push({ path: name, data: await readSibling(dirname(path), name, leastBytes) });
  return siblings;
}
