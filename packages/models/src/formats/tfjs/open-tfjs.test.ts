import { readFileSync, readdirSync } from 'node:fs';
import { createCpuBackend } from '@dafl/backend-cpu';
import { createNetwork, DaflError, type Model, softmaxRows } from '@dafl/core';
import {
  initializers,
  layers,
  type LayersModel,
  model as makeModel,
  sequential,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import { describe, expect, it } from 'vitest';
import { compareGradients, drawArgument } from '../../../../core/src/_testing/compare-gradients.ts';
import { importModel } from '../import-model.ts';
import { drawInputs, runModel } from '../onnx/_testing/run-model.ts';
import { runTfjs, saveTfjs, type TfjsFiles } from './_testing/run-tfjs.ts';

const folder = new URL('../../../../../test-fixtures/tfjs/', import.meta.url);

/** A graph model that TensorFlow wrote: see the generator beside the fixtures. */
function filesOf(name: string): TfjsFiles {
  const path = new URL(`${name}/`, folder);
  return new Map(readdirSync(path).map((file) => [file, readFileSync(new URL(file, path))]));
}

const read = (files: TfjsFiles, name = 'model.json') =>
  importModel(files.get('model.json')!, name, {
    readSibling: (file, leastBytes) => {
      const content = files.get(file)!;
      expect(content.length).toBeGreaterThanOrEqual(leastBytes);
      return Promise.resolve(content);
    },
  });

/** Largest difference between what a model gives and what TensorFlow.js does. */
async function errorOf(files: TfjsFiles, model: Model, head?: 'softmax', scale = 1): Promise<number> {
  const shape = [2, ...model.graph.inputShape];
  const data = drawInputs(shape.reduce((total, size) => total * size, 1));
  const expected = await runTfjs(files, { shape, data: data.map((value) => value * scale) });
  const logits = await runModel(model, data, shape);
  const actual = head === undefined ? logits : softmaxRows(logits, expected.shape.at(-1)!);
  expect(actual).toHaveLength(expected.data.length);
  return Math.max(...expected.data.map((value, index) => Math.abs(value - actual[index])));
}

let seed = 0;
const normal = () => initializers.randomNormal({ stddev: 0.4, seed: ++seed });
const positive = () => initializers.randomUniform({ minval: 0.5, maxval: 1.5, seed: ++seed });
const weights = () => ({ kernelInitializer: normal(), biasInitializer: normal() });
const statistics = () => ({
  betaInitializer: normal(),
  gammaInitializer: positive(),
  movingMeanInitializer: normal(),
  movingVarianceInitializer: positive(),
});

/** What TensorFlow.js has for image classifiers. */
function classifier(): LayersModel {
  const inner = sequential({ name: 'inner' });
  inner.add(
    layers.conv2d({ inputShape: [6, 6, 4], filters: 4, kernelSize: 3, padding: 'same', name: 'conv_1', ...weights() }),
  );
  inner.add(layers.batchNormalization(statistics()));
  const image = layers.input({ shape: [12, 11, 3], name: 'image' });
  const apply = (
    layer: { apply: (value: SymbolicTensor | SymbolicTensor[]) => unknown },
    value: SymbolicTensor | SymbolicTensor[],
  ) => layer.apply(value) as SymbolicTensor;
  let x = apply(layers.rescaling({ scale: 1 / 255 }), image);
  x = apply(layers.conv2d({ filters: 4, kernelSize: 3, strides: 2, padding: 'same', name: 'conv', ...weights() }), x);
  x = apply(layers.leakyReLU({ alpha: 0.2 }), x);
  const skip = apply(inner, x);
  x = apply(layers.add(), [x, skip]);
  x = apply(
    layers.depthwiseConv2d({
      kernelSize: 3,
      depthMultiplier: 2,
      dilationRate: 2,
      padding: 'same',
      depthwiseInitializer: normal(),
      biasInitializer: normal(),
    }),
    x,
  );
  x = apply(layers.activation({ activation: 'hardSigmoid' }), x);
  x = apply(
    layers.separableConv2d({
      filters: 5,
      kernelSize: [2, 3],
      depthwiseInitializer: normal(),
      pointwiseInitializer: normal(),
      activation: 'elu',
    }),
    x,
  );
  const narrow = apply(layers.maxPooling2d({ poolSize: 2, strides: 1, padding: 'same' }), x);
  x = apply(layers.concatenate(), [
    narrow,
    apply(layers.averagePooling2d({ poolSize: 3, strides: 1, padding: 'same' }), x),
  ]);
  x = apply(
    layers.zeroPadding2d({
      padding: [
        [1, 0],
        [0, 2],
      ],
    }),
    x,
  );
  x = apply(layers.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: 'same', ...weights() }), x);
  x = apply(layers.prelu({ sharedAxes: [1, 2], alphaInitializer: normal() }), x);
  x = apply(layers.layerNormalization({ gammaInitializer: positive(), betaInitializer: normal() }), x);
  x = apply(layers.upSampling2d({ size: [1, 2] }), x);
  x = apply(layers.permute({ dims: [3, 1, 2] }), x);
  x = apply(layers.dropout({ rate: 0.3 }), x);
  x = apply(layers.flatten(), x);
  return makeModel({
    inputs: image,
    outputs: apply(layers.dense({ units: 6, activation: 'softmax', ...weights() }), x),
  });
}

describe('a layers model', () => {
  it('computes what TensorFlow.js does, from weights in one file and in shards that cut tensors', async () => {
    const made = classifier();
    const files = await saveTfjs(made);
    const { model, notes } = await read(files);
    expect(await errorOf(files, model, 'softmax', 255)).toBeLessThan(1e-5);
    expect(model.graph.preprocessing?.mean).toEqual([0, 0, 0]);
    expect(notes).toContain('Arithmetic on its input is taken as preprocessing, of pixels in 0..255');
    const shards = await saveTfjs(made, 333);
    expect(shards.size).toBeGreaterThan(5);
    expect((await read(shards)).model).toEqual(model);
  });

  it('gives the gradient of its input', async () => {
    const { model } = await read(await saveTfjs(classifier()));
    const backend = createCpuBackend({ precision: 'float64' });
    const network = createNetwork(backend, model);
    const [{ analytic, numeric }] = await compareGradients(
      backend,
      [drawArgument([1, ...model.graph.inputShape])],
      (tape, [image]) => network.forward(tape, image, { mode: 'inference' }).logits,
    );
    expect(Math.max(...Array.from(numeric, Math.abs))).toBeGreaterThan(1e-4);
    for (let index = 0; index < numeric.length; index++)
      expect(Math.abs(analytic[index] - numeric[index])).toBeLessThan(1e-6);
  });
});

describe('a graph model', () => {
  it.each(['fused', 'unfused', 'pooled'])('computes what TensorFlow.js does: %s', async (name) => {
    const files = filesOf(name);
    const { model } = await read(files);
    expect(await errorOf(files, model, name === 'pooled' ? 'softmax' : undefined)).toBeLessThan(1e-5);
  });

  it('names all operators that it cannot read at once', async () => {
    await expect(read(filesOf('unsupported'))).rejects.toThrow(
      /^Cannot read 'model.json' as a TensorFlow.js model as its nodes must be ones that this version of dafl can turn into its own: current value is 2 are not: tensorflow.NonMaxSuppression 'strange', tensorflow.Foo 'foo'$/,
    );
  });

  // Found by `npm run bench:fuzz`.
  it('refuses by name operators that lack inputs', async () => {
    const faults: unknown[] = [];
    for (const name of ['fused', 'unfused', 'pooled']) {
      const files = filesOf(name);
      const model = JSON.parse(new TextDecoder().decode(files.get('model.json'))) as {
        modelTopology: { node: { name: string; input?: string[] }[] };
      };
      const { node: nodes } = model.modelTopology;
      for (const node of nodes) {
        const { input = [] } = node;
        for (let count = 0; count < input.length; count++) {
          node.input = input.slice(0, count);
          const changed = new Map([...files, ['model.json', new TextEncoder().encode(JSON.stringify(model))] as const]);
          const error: unknown = await read(changed).catch((reason: unknown) => reason);
          // Some operators may have fewer.
          if (error instanceof Error && !(error instanceof DaflError)) faults.push(error);
        }
        node.input = input;
      }
    }
    expect(faults).toEqual([]);
  });
});
