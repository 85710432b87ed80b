import { readdirSync, readFileSync } from 'node:fs';
import { createCpuBackend } from '@dafl/backend-cpu';
import { createNetwork, DaflError, type Model, softmaxRows } from '@dafl/core';
import { describe, expect, it } from 'vitest';
import { compareGradients, drawArgument } from '../../../../core/src/_testing/compare-gradients.ts';
import { importModel } from '../import-model.ts';
import { drawInputs, runModel } from '../onnx/_testing/run-model.ts';
import { writeZip } from '../zip/write-zip.ts';
import { readKeras } from './read-keras.ts';

const folder = new URL('../../../../../test-fixtures/keras/', import.meta.url);
const bytesOf = (file: string): Uint8Array => readFileSync(new URL(file, folder));
const read = async (file: string): Promise<Model> => (await readKeras(bytesOf(file), file)).model;

/** What Keras computes: see the generator beside the fixtures. */
interface Record {
  readonly inputShape: readonly number[];
  readonly head: 'softmax' | 'sigmoid' | null;
  readonly output: readonly (readonly number[])[];
}
const recordOf = (file: string): Record =>
  JSON.parse(readFileSync(new URL(file.replace(/\.\w+$/, '.json'), folder), 'utf8')) as Record;

/** Largest difference between what a model gives and what Keras does. */
async function errorOf(file: string): Promise<number> {
  const { inputShape, head, output } = recordOf(file);
  const size = inputShape.reduce((total, length) => total * length, 1);
  const logits = await runModel(await read(file), drawInputs(size), inputShape);
  const classes = logits.length / inputShape[0];
  const given = head === null ? logits : softmaxRows(logits, classes);
  // One sigmoid unit is the second of two classes.
  const actual = head === 'sigmoid' ? given.filter((_, index) => index % 2 === 1) : given;
  const expected = output.flat();
  expect(actual).toHaveLength(expected.length);
  return Math.max(...expected.map((value, index) => Math.abs(actual[index] - value)));
}

describe('readKeras', () => {
  it.each([
    'sequential.keras',
    'sequential.h5',
    'functional.keras',
    'functional.h5',
    'operations.keras',
    'activations.keras',
    'channels-first.keras',
    'preprocessing.keras',
    'order.keras',
    'order.h5',
    'keras2.h5',
  ])('computes what Keras does: %s', async (file) => {
    expect(await errorOf(file)).toBeLessThan(1e-5);
  });

  it.each([
    'sequential.keras',
    'functional.keras',
    'operations.keras',
    'activations.keras',
    'channels-first.keras',
    'keras2.h5',
  ])('gives the gradient of its input: %s', async (file) => {
    const backend = createCpuBackend({ precision: 'float64' });
    const network = createNetwork(backend, await read(file));
    const input = drawArgument([1, ...network.graph.inputShape]);
    const [{ analytic, numeric }] = await compareGradients(
      backend,
      [input],
      (tape, [image]) => network.forward(tape, image, { mode: 'inference' }).logits,
    );
    expect(Math.max(...Array.from(numeric, Math.abs))).toBeGreaterThan(1e-4);
    for (let index = 0; index < numeric.length; index++)
      expect(Math.abs(analytic[index] - numeric[index])).toBeLessThan(1e-6);
  });

  it('makes preprocessing of what stands before the network, and leaves out what only training does', async () => {
    const { model, notes } = await readKeras(bytesOf('sequential.keras'), 'sequential.keras');
    const { graph } = model;
    expect(graph.inputShape).toEqual([14, 15, 3]);
    expect(graph.preprocessing).toEqual({
      resize: 'bilinear',
      mean: Array(3).fill(expect.closeTo(0.5, 6)),
      standardDeviation: Array(3).fill(expect.closeTo(0.5, 6)),
    });
    expect(new Set(graph.nodes.map(({ kind }) => kind))).toEqual(
      new Set(['conv2d', 'activation', 'batchNorm', 'maxPool2d', 'averagePool2d', 'clip', 'flatten', 'dense']),
    );
    expect(graph.outputs).toEqual({ logits: 'dense_1', features: 'dense/tanh' });
    expect(notes).toEqual([
      'Layers that change pictures in training alone are left out',
      "The logits are what Softmax 'dense_1/softmax' at its end reads",
      'Arithmetic on its input is taken as preprocessing, of pixels in 0..255',
    ]);
  });

  it('takes the size of pictures from the layer that resizes them', async () => {
    expect((await read('preprocessing.keras')).graph.inputShape).toEqual([8, 7, 3]);
  });

  it('puts zeros around maps as the padding of the convolution that reads them', async () => {
    const [first] = (await read('functional.keras')).graph.nodes;
    expect(first).toMatchObject({ kind: 'conv2d', padding: { top: 1, bottom: 0, left: 0, right: 1 } });
  });

  it('reads models whose types of numbers are objects', async () => {
    expect((await read('policies.keras')).graph.nodes.map(({ kind }) => kind)).toEqual(['flatten', 'dense']);
  });

  it.each(['order.keras', 'order.h5'])(
    'gives each layer its own weights, however they are called: %s',
    async (file) => {
      const { graph, weights } = await read(file);
      const names = Array.from({ length: 12 }, (_, index) => `conv2d_${(index * 7 + 3) % 12}`);
      expect(graph.nodes.slice(0, 12).map(({ name }) => name)).toEqual(names);
      for (const [index, name] of names.entries()) {
        expect(weights.get(`${name}.kernel`)!.data).toEqual(Float32Array.of(1 + index / 16));
        expect(weights.get(`${name}.bias`)!.data).toEqual(Float32Array.of(index / 8));
      }
    },
  );

  it('names all layers that it cannot read at once, and runs no code', async () => {
    await expect(read('unsupported.keras')).rejects.toThrow(
      "Cannot read 'unsupported.keras' as a Keras model as its layers must be ones that this version of dafl can turn into its own: current value is 2 are not: Lambda 'secret' (it holds code, which is not run), LSTM 'lstm'",
    );
  });

  it('says that a file holds weights alone', async () => {
    const alone = bytesOf('alone.weights.h5');
    await expect(importModel(alone, 'model.h5')).rejects.toThrow(
      "Cannot read 'model.h5' as a Keras model as it must hold the model's architecture, not weights alone (save the whole model: model.save('model.keras')): current value is no 'model_config' beside ['layers', 'vars']",
    );
    const archive = writeZip(new Map([['model.weights.h5', alone]]));
    await expect(importModel(archive, 'model.keras')).rejects.toThrow(/must hold 'config.json', its architecture/);
  });

  it('tells formats by their content, not by their names', async () => {
    const archive = bytesOf('sequential.keras');
    const { model } = await importModel(archive, 'sequential.h5');
    expect(model).toEqual((await importModel(archive, 'sequential.keras')).model);
    const old = await importModel(bytesOf('sequential.h5'), 'sequential.keras');
    expect(old.model.graph).toEqual(model.graph);
  });

  it.each(['sequential.keras', 'functional.h5'])(
    'ends in an error of its own wherever a file is cut: %s',
    async (file) => {
      const bytes = bytesOf(file);
      for (let length = 2; length < bytes.length; length += 997)
        await expect(readKeras(bytes.subarray(0, length), file)).rejects.toThrow(DaflError);
    },
  );
});

it('has a test for each fixture', () => {
  const files = readdirSync(folder).filter((name) => /\.(keras|h5)$/.test(name));
  const text = readFileSync(new URL('read-keras.test.ts', import.meta.url), 'utf8');
  expect(files.filter((name) => !text.includes(`'${name}'`))).toEqual([]);
});
