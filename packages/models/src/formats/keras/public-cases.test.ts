import { readFileSync } from 'node:fs';
import { createCpuBackend } from '@dafl/backend-cpu';
import { createNetwork, type Model, predictLogits } from '@dafl/core';
import { describe, expect, it } from 'vitest';
import { importModel } from '../import-model.ts';

/** A model.json with its weights, each as a list of numbers in one file. */
interface Sketch {
  readonly topology: object;
  readonly weights: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly values: readonly number[];
  }[];
}

const encode = (value: object): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

async function read(
  topology: object,
  manifest: object,
  files: Readonly<Record<string, Uint8Array>>,
): Promise<{ model: Model; notes: readonly string[] }> {
  return await importModel(encode({ modelTopology: topology, weightsManifest: manifest }), 'model.json', {
    readSibling: (name) => Promise.resolve(files[name]),
  });
}

async function readSketch({ topology, weights }: Sketch) {
  const specs = weights.map(({ name, shape }) => ({ name, shape, dtype: 'float32' }));
  const bytes = new Uint8Array(Float32Array.from(weights.flatMap(({ values }) => values)).buffer);
  return await read(topology, [{ paths: ['w.bin'], weights: specs }], { 'w.bin': bytes });
}

/** Logits for one example. */
async function run(model: Model, input: readonly number[]): Promise<number[]> {
  const backend = createCpuBackend({ precision: 'float64' });
  const network = createNetwork(backend, model);
  return [...(await predictLogits(network, backend.tensor(Float32Array.from(input), [1, ...model.graph.inputShape])))];
}

const policy = { module: 'keras', class_name: 'DTypePolicy', config: { name: 'float32' }, registered_name: null };
const layer = (class_name: string, config: object) => ({
  module: 'keras.layers',
  class_name,
  config: { dtype: policy, trainable: true, ...config },
  registered_name: null,
});
const chain = (...layers: object[]) => ({ class_name: 'Sequential', config: { name: 'chain', layers } });
const image = (...sizes: readonly number[]) =>
  layer('InputLayer', { name: 'image', batch_shape: [null, ...sizes], sparse: false, ragged: false });
const flatten = layer('Flatten', { name: 'flatten' });

describe('cases from public reports', () => {
  it('I23: batch_shape, and types of numbers as objects', async () => {
    const { model } = await readSketch({
      topology: chain(image(32, 32, 3), flatten, layer('Dense', { name: 'd', units: 2, use_bias: false })),
      weights: [{ name: 'd/kernel', shape: [3072, 2], values: Array.from({ length: 6144 }, (_, index) => index % 2) }],
    });
    expect(model.graph.inputShape).toEqual([32, 32, 3]);
    expect(await run(model, Array(3072).fill(1))).toEqual([0, 3072]);
  });

  it('I24: Rescaling becomes preprocessing, augmentation and custom dropouts vanish, others are named', async () => {
    const layers = [
      image(2, 2, 1),
      layer('Rescaling', { name: 'r', scale: 1 / 127.5, offset: -1 }),
      layer('RandomFlip', { name: 'flip', mode: 'horizontal' }),
      { class_name: 'FixedDropout', config: { name: 'drop', rate: 0.5 }, registered_name: 'Custom>FixedDropout' },
      flatten,
    ];
    const { model, notes } = await readSketch({ topology: chain(...layers), weights: [] });
    expect(model.graph.nodes.map(({ kind }) => kind)).toEqual(['flatten']);
    expect(model.graph.preprocessing!.mean).toEqual([expect.closeTo(0.5, 6)]);
    expect(model.graph.preprocessing!.standardDeviation).toEqual([expect.closeTo(0.5, 6)]);
    expect(notes).toContain('Layers that change pictures in training alone are left out');
    const others = [image(2, 2, 1), layer('Lambda', { name: 'code' }), layer('MyLayer', { name: 'mine' })];
    await expect(readSketch({ topology: chain(...others), weights: [] })).rejects.toThrow(
      /2 are not: Lambda 'code' \(it holds code, which is not run\), MyLayer 'mine'$/,
    );
  });

  it.each(['Resizing', 'RandomCrop'])('takes the middle and brings it to a size outside training: %s', async (kind) => {
    const config = { name: 'r', height: 2, width: 2, interpolation: 'bilinear', crop_to_aspect_ratio: true };
    const layers = [image(6, 4, 1), layer(kind, config), flatten];
    const { model } = await readSketch({ topology: chain(...layers), weights: [] });
    // Of rows 1 to 4 each pixel is the mean of four: of 4, 5, 8 and 9 the first.
    const pixels = Array.from({ length: 24 }, (_, index) => index);
    expect(await run(model, pixels)).toEqual([6.5, 8.5, 14.5, 16.5]);
  });

  it('names a layer that changes pictures outside training too', async () => {
    const layers = [image(2, 2, 1), layer('AutoContrast', { name: 'contrast' }), flatten];
    await expect(readSketch({ topology: chain(...layers), weights: [] })).rejects.toThrow(
      /one is not: AutoContrast 'contrast'$/,
    );
  });

  it('I26: weights go to the layers that they are called after, whatever their order', async () => {
    const names = ['c_10', 'c_2', 'c_1', 'c'];
    const convolutions = names.map((name) =>
      layer('Conv2D', { name, filters: 1, kernel_size: [1, 1], use_bias: false }),
    );
    const { model } = await readSketch({
      topology: chain(image(1, 1, 1), ...convolutions, flatten),
      weights: ['c', 'c_1', 'c_2', 'c_10'].map((name, index) => ({
        name: `${name}/kernel`,
        shape: [1, 1, 1, 1],
        values: [index + 2],
      })),
    });
    const kernels = names.map((name) => model.weights.get(`${name}.kernel`)!.data[0]);
    expect(kernels).toEqual([5, 4, 3, 2]);
  });

  it('I29: quantised weights, a tensor across files, and files that are missing, short or pages', async () => {
    const topology = chain(image(1, 1, 3), flatten, layer('Dense', { name: 'd', units: 3, use_bias: true }));
    const identity = Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);
    const manifest = (paths: string[], quantization: object) => [
      {
        paths,
        weights: [
          { name: 'd/kernel', shape: [3, 3], dtype: 'float32' },
          { name: 'd/bias', shape: [3], dtype: 'float32', quantization },
        ],
      },
    ];
    const join = (bias: Uint8Array) => Uint8Array.from([...new Uint8Array(identity.buffer), ...bias]);
    const cases = [
      [{ dtype: 'uint8', scale: 0.1, min: -1 }, Uint8Array.of(0, 128, 255)],
      [{ dtype: 'uint16', scale: 0.1, min: -1 }, new Uint8Array(Uint16Array.of(0, 128, 255).buffer)],
      [{ dtype: 'float16', original_dtype: 'float32' }, Uint8Array.of(0, 0xbc, 0xe6, 0x49, 0x20, 0x4e)],
    ] as const;
    for (const [quantization, stored] of cases) {
      const { model } = await read(topology, manifest(['w'], quantization), { w: join(stored) });
      const expected = [-1, 11.8, 24.5].map((value) => expect.closeTo(value, 2));
      expect(await run(model, [0, 0, 0])).toEqual(expected);
    }
    const [quantization, stored] = cases[0];
    const whole = join(stored);
    const parts = { a: whole.subarray(0, 6), b: whole.subarray(6, 37), c: whole.subarray(37) };
    const { model } = await read(topology, manifest(['a', 'b', 'c'], quantization), parts);
    expect(await run(model, [1, 2, 3])).toEqual([0, 13.8, 27.5].map((value) => expect.closeTo(value, 4)));
    await expect(
      read(topology, manifest(['a', 'b', 'c'], quantization), { ...parts, b: whole.subarray(6, 30) }),
    ).rejects.toThrow(
      /^Cannot read 'model.json' as a TensorFlow.js model as its files of weights must hold 39 bytes together: current value is 32 \(a: 6, b: 24, c: 2\)$/,
    );
    const page = new TextEncoder().encode('<!DOCTYPE html><title>404</title>');
    await expect(read(topology, manifest(['a', 'b', 'c'], quantization), { ...parts, b: page })).rejects.toThrow(
      /its file 'b' must hold weights: current value is an HTML page$/,
    );
    const missing = importModel(
      encode({ modelTopology: topology, weightsManifest: manifest(['w'], quantization) }),
      'model.json',
    );
    await expect(missing).rejects.toThrow(/its weights must lie in 'w' beside it: current value is no such file$/);
    for (const path of ['../w', '/etc/passwd', 'sub/w', 'http://host/w', 'C:\\w', '..'])
      await expect(read(topology, manifest([path], quantization), { [path]: whole })).rejects.toThrow(
        /its weights must lie in files beside it, called by their plain names/,
      );
  });

  it('I30: Conv, _FusedConv2D, a depthwise convolution and MatMul of a graph model', async () => {
    const i = (...values: readonly number[]) => ({ list: { i: values.map(String) } });
    const text = (value: string) => ({ s: btoa(value) });
    const window = { strides: i(1, 1, 1, 1), padding: text('SAME'), data_format: text('NHWC') };
    const nodes = [
      { name: 'y', op: 'Identity', input: ['product'] },
      {
        name: 'x',
        op: 'Placeholder',
        attr: { shape: { shape: { dim: [-1, 2, 2, 1].map((size) => ({ size: String(size) })) } } },
      },
      ...['k1', 'k2', 'b2', 'k3', 'k4', 'shape', 'scale', 'offset', 'mean', 'variance'].map((name) => ({
        name,
        op: 'Const',
      })),
      { name: 'first', op: 'Conv2D', input: ['x', 'k1'], attr: window },
      {
        name: 'second',
        op: '_FusedConv2D',
        input: ['first', 'k2', 'b2'],
        attr: { ...window, fused_ops: { list: { s: [btoa('BiasAdd'), btoa('Relu6')] } }, num_args: { i: '1' } },
      },
      { name: 'third', op: 'DepthwiseConv2dNative', input: ['second', 'k3'], attr: window },
      {
        name: 'normal',
        op: 'FusedBatchNormV3',
        input: ['third', 'scale', 'offset', 'mean', 'variance'],
        attr: { epsilon: { f: 1e-12 }, is_training: { b: false }, data_format: text('NHWC') },
      },
      { name: 'row', op: 'Reshape', input: ['normal', 'shape'] },
      {
        name: 'product',
        op: 'MatMul',
        input: ['row', 'k4'],
        attr: { transpose_a: { b: false }, transpose_b: { b: false } },
      },
    ];
    const weights: readonly (readonly [string, readonly number[], readonly number[]])[] = [
      ['k1', [1, 1, 1, 2], [1, 2]],
      ['k2', [1, 1, 2, 2], [1, 0, 0, 1]],
      ['b2', [2], [0.5, -1]],
      ['k3', [1, 1, 2, 1], [3, -1]],
      ['k4', [8, 2], Array.from({ length: 16 }, (_, index) => index)],
      ['scale', [2], [2, 1]],
      ['offset', [2], [0, 1]],
      ['mean', [2], [1, 0]],
      ['variance', [2], [4, 1]],
    ];
    const floats = Float32Array.from(weights.flatMap(([, , values]) => values));
    const integers = Int32Array.of(-1, 8);
    const bytes = Uint8Array.from([...new Uint8Array(floats.buffer), ...new Uint8Array(integers.buffer)]);
    const specs = [
      ...weights.map(([name, shape]) => ({ name, shape, dtype: 'float32' })),
      { name: 'shape', shape: [2], dtype: 'int32' },
    ];
    const { model } = await read({ node: nodes }, [{ paths: ['w'], weights: specs }], { w: bytes });
    // x = 1..4: relu6([x + 1/2, 2x - 1]) = [1.5, 1], [2.5, 3], [3.5, 5], [4.5, 6]; by 3 and -1, normalised, and as a row.
    const row = [3.5, 0, 6.5, -2, 9.5, -4, 12.5, -5];
    const expected = [0, 1].map((unit) => row.reduce((total, value, index) => total + value * (2 * index + unit), 0));
    expect(await run(model, [1, 2, 3, 4])).toEqual(expected.map((value) => expect.closeTo(value, 4)));
    expect(model.graph.nodes.map(({ kind }) => kind)).toContain('batchNorm');
    await expect(
      read(
        { node: nodes.map((node) => (node.name === 'row' ? { ...node, op: 'Bucketize' } : node)) },
        [{ paths: ['w'], weights: specs }],
        { w: bytes },
      ),
    ).rejects.toThrow(/one is not: tensorflow.Bucketize 'row'$/);
  });

  it('I18: a page, a pointer and a cut file in place of an .h5 file', async () => {
    const text = (value: string) => importModel(new TextEncoder().encode(value), 'model.h5');
    await expect(text('<!DOCTYPE html><html></html>')).rejects.toThrow(/current format is an HTML page$/);
    await expect(text('version https://git-lfs.github.com/spec/v1\n')).rejects.toThrow(
      /current format is a Git LFS pointer/,
    );
    const whole = readFileSync(new URL('../../../../../test-fixtures/keras/order.h5', import.meta.url));
    await expect(importModel(whole.subarray(0, 20_000), 'model.h5')).rejects.toThrow(
      `Cannot read 'model.h5' as a Keras model as it must be whole: ${whole.length} bytes as its header says: current value is 20000 bytes`,
    );
  });

  // Found by `npm run bench:fuzz`.
  it('refuses by name layers that read nothing', async () => {
    for (const class_name of [
      'Dropout',
      'RandomFlip',
      'Add',
      'Concatenate',
      'Average',
      'Flatten',
      'ReLU',
      'Rescaling',
    ]) {
      const config = {
        name: 'sketch',
        layers: [
          { ...image(2, 2, 1), name: 'image', inbound_nodes: [] },
          { ...layer(class_name, { name: 'odd' }), name: 'odd', inbound_nodes: [{ args: [], kwargs: {} }] },
        ],
        input_layers: [['image', 0, 0]],
        output_layers: [['odd', 0, 0]],
      };
      await expect(readSketch({ topology: { class_name: 'Functional', config }, weights: [] })).rejects.toThrow(
        `one is not: ${class_name} 'odd' (it reads `,
      );
    }
  });
});
