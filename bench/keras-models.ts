/**
 * Has Keras read what dafl writes, and reads what Keras writes: `npm run bench:keras -- FOLDER PYTHON`. `PYTHON` is an interpreter
 * that has Keras and TensorFlow; the files are made in `FOLDER`, once.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createWasmBackend } from '@dafl/backend-wasm';
import { createNetwork, createRandomStream, inferShapes, type Model, predictLogits } from '@dafl/core';
import { architectures, importModel, writeKeras } from '@dafl/models';
import { storeResult } from './_store-result.ts';

const [folder, python = 'python3'] = process.argv.slice(2);
if (folder === undefined)
  throw new Error('Cannot compare with Keras as a folder must be named: npm run bench:keras -- FOLDER [PYTHON]');
const script = new URL('check-keras.py', import.meta.url).pathname;
const runPython = (...parameters: string[]): string =>
  execFileSync(python, [script, ...parameters], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    stdio: ['ignore', 'pipe', 'ignore'],
  });

const backend = await createWasmBackend({ threads: 1 });

/** The logits of preprocessed pictures. */
async function run(model: Model, input: Float32Array, shape: readonly number[]): Promise<Float32Array> {
  const { preprocessing } = model.graph;
  const channels = shape.at(-1)!;
  const prepared = input.map((value, index) =>
    preprocessing === undefined
      ? value
      : (value - preprocessing.mean[index % channels]) / preprocessing.standardDeviation[index % channels],
  );
  const network = createNetwork(backend, model);
  const logits = Float32Array.from(await predictLogits(network, backend.tensor(prepared, shape)));
  network.dispose();
  return logits;
}

function randomModel(graph: Model['graph']): Model {
  const random = createRandomStream(7, 'weights');
  const weights = new Map(
    [...inferShapes(graph)].flatMap(([node, shapes]) =>
      Object.entries(shapes.weights).map(([weight, { shape }]) => {
        const size = shape.reduce((total, length) => total * length, 1);
        const fan = shape.slice(0, -1).reduce((total, length) => total * length, 1);
        const data = random.normal(size).map((value) => {
          if (weight === 'runningVariance') return 0.5 + value * value;
          if (weight === 'scale') return 1 + value / 4;
          return weight === 'kernel' ? value / Math.sqrt(fan) : value / 4;
        });
        return [`${node}.${weight}`, { shape, data }] as const;
      }),
    ),
  );
  return { graph, weights };
}

// What dafl writes.
const written = join(folder, 'written');
await mkdir(written, { recursive: true });
const refused: Record<string, string> = {};
for (const [name, architecture] of architectures) {
  const graph = architecture.create({});
  if (graph.inputShape[0] > 64) continue;
  const model = randomModel({ ...graph, preprocessing: undefined });
  const shape = [2, ...graph.inputShape];
  const input = createRandomStream(8, 'input').normal(shape.reduce((total, size) => total * size, 1));
  try {
    await writeFile(join(written, `${name}.keras`), writeKeras(model));
  } catch (error) {
    refused[name] = String(error);
    continue;
  }
  const output = [...(await run(model, input, shape))];
  await writeFile(join(written, `${name}.json`), JSON.stringify({ input: [...input], shape, output }));
}
const read = JSON.parse(runPython('read', written).trim().split('\n').at(-1)!) as {
  keras: string;
  differences: object;
};

// What Keras writes.
const made = join(folder, 'made');
if (!existsSync(made)) {
  await mkdir(made, { recursive: true });
  runPython('write', made);
}
const imported: Record<string, number | string> = {};
for (const file of (await readdir(made)).filter((name) => /\.(keras|h5)$/.test(name))) {
  const record = JSON.parse(await readFile(join(made, file.replace(/\.\w+$/, '.json')), 'utf8')) as {
    shape: number[];
    input: number[];
    output: number[];
  };
  try {
    const { model } = await importModel(await readFile(join(made, file)), file);
    // Some networks take 0..255 and divide themselves, which is their preprocessing here.
    const scale = model.graph.preprocessing === undefined ? 1 : 1 / 255;
    const input = Float32Array.from(record.input, (value) => value * scale);
    const logits = await run(model, input, record.shape);
    imported[file] = Math.max(...record.output.map((value, index) => Math.abs(value - logits[index])));
  } catch (error) {
    imported[file] = String(error);
  }
}
await backend.close();
await storeResult('keras-models', 'npm run bench:keras -- FOLDER PYTHON', {
  keras: read.keras,
  /** Largest difference of logits. */
  readByKeras: read.differences,
  notWritten: refused,
  readByDafl: imported,
});
