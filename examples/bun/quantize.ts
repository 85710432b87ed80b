/**
 * Brings a model to eight bits without data, in Bun.
 *
 * Run: bun examples/bun/quantize.ts [MODEL] [FILE], where MODEL is an ONNX file or one of dafl's; by default the built-in
 * teacher.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { createWasmBackend } from '@dafl/backend-wasm';
import { choosePictures, createNetwork, createRandomStream, createTurn } from '@dafl/core';
import { builtInTeacher, importModel, quantizeModel, writeOnnx } from '@dafl/models';

const [path, file = 'student.int8.onnx'] = process.argv.slice(2);
const model =
  path === undefined ? await builtInTeacher('lenet5-mnist') : (await importModel(await readFile(path), path)).model;

// Pictures drawn by rules, of which the model says what they are: activations are measured by them.
const backend = await createWasmBackend();
const turn = createTurn();
const network = createNetwork(backend, model);
const createRandom = (purpose: string) => createRandomStream(0, purpose);
const pictures = await choosePictures(network, { most: 256, createRandom, turn });
network.dispose();

const { model: quantized, quantization } = await quantizeModel(model, pictures, { backend, turn });
const bytes = writeOnnx(quantized, { quantization });
await writeFile(file, bytes);
console.log(
  `${file}: ${bytes.length} bytes, ${writeOnnx(model).length} before, measured on ${pictures.count} pictures`,
);
await backend.close();
