/**
 * Files about which people reported that some importer or exporter treats them wrong, of all formats or of none alone, each
 * with what is right. The numbers in brackets are those of the collection of reports; those of ONNX's operators stand
 * beside its importer.
 */
import { readFileSync } from 'node:fs';
import { createCpuBackend } from '@dafl/backend-cpu';
import {
  createNetwork,
  createRandomStream,
  type Graph,
  initializeWeights,
  type Model,
  predictLogits,
} from '@dafl/core';
import { describe, expect, it, test } from 'vitest';
import { createArchitecture } from '../architectures/create-architecture.ts';
import type { PixelConvention } from '../set-pixel-convention.ts';
import { importModel } from './import-model.ts';
import { writeModel } from './native-model.ts';
import { buildOnnx, floats, node } from './onnx/_testing/build-onnx.ts';
import { runModel } from './onnx/_testing/run-model.ts';
import { runOnnx } from './onnx/_testing/run-onnx.ts';
import { parseOnnx } from './onnx/parse-onnx.ts';
import { writeOnnx } from './onnx/write-onnx.ts';
import { parseSafetensors } from './parse-safetensors.ts';

const fixture = (name: string): Uint8Array =>
  readFileSync(new URL(`../../../../test-fixtures/${name}`, import.meta.url));
const text = (content: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(content);
const fail = (rule: string): never => {
  throw new TypeError(rule);
};

describe('what a download gave in place of a model (I18)', () => {
  const extensions = ['onnx', 'safetensors', 'h5', 'keras', 'pt', 'pth', 'tflite', 'json'];
  const pages: readonly (readonly [string, Uint8Array])[] = [
    ['an HTML page', text('<!DOCTYPE html>\n<html><body>404: Not Found</body></html>')],
    ['an XML page', text('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>')],
    ['JSON', text('{"message":"Not Found"}')],
    [
      'a Git LFS pointer (git lfs pull fetches the file)',
      text('version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n'),
    ],
    ['an empty file', new Uint8Array()],
  ];
  it.each(extensions.flatMap((extension) => pages.map(([format, bytes]) => [extension, format, bytes] as const)))(
    '.%s: %s',
    async (extension, format, bytes) => {
      const reading = importModel(bytes, `model.${extension}`);
      // model.json would be TensorFlow.js's: what it lacks is told there.
      const told =
        extension === 'json' && format === 'JSON' ? "Cannot read 'model.json'" : `: current format is ${format}`;
      await expect(reading).rejects.toThrow(told);
    },
  );

  it.each([
    ['onnx/maps.onnx', /current value is \d+ bytes, cut off there/],
    ['cifar10-airbench.safetensors', /current value is \d+ \(cut off there\)/],
    ['pytorch/mobilenetv2-timm.safetensors', /current value is \d+ \(cut off there\)/],
    ['pytorch/resnet20.pt', /current value is \d+ bytes, cut off there/],
    ['pytorch/wrn.pt', /current value is \d+ bytes, cut off there/],
  ])('half of %s is told with where it ends', async (name, message) => {
    const bytes = fixture(name);
    const length = Math.floor(bytes.length / 2);
    await expect(importModel(bytes.subarray(0, length), name)).rejects.toThrow(message);
    await expect(importModel(bytes.subarray(0, length), name)).rejects.toThrow(String(length));
  });

  it.each([
    ['onnx/maps.onnx', 'model.pt'],
    ['onnx/maps.onnx', 'model.h5'],
    ['onnx/maps.onnx', 'model.safetensors'],
    ['pytorch/lenet5-half.pt', 'model.onnx'],
    ['pytorch/wrn.pt', 'model.safetensors'],
    ['cifar10-airbench.safetensors', 'model.onnx'],
  ])('%s is read as what it is, also as %s', async (name, called) => {
    const [found, expected] = await Promise.all([importModel(fixture(name), called), importModel(fixture(name), name)]);
    expect(found.model.graph.nodes).toEqual(expected.model.graph.nodes);
  });
});

describe('how pictures become the input (I21)', () => {
  const picture = [0.1, 0.9, 0.4, 0.8, 0.3, 0.7, 0.2, 0.6, 0.5, 0.25, 0.75, 0.05];
  const mean = [0.485, 0.456, 0.406];
  const deviation = [0.229, 0.224, 0.225];
  const kernel = [1, 2, -1, 0.5, -2, 3];
  /** One classifier of pixels in 0..1 whose first layer takes (pixel - mean) / deviation in place of them. */
  const rewritten = (means: readonly number[], deviations: readonly number[]): Uint8Array => {
    const weights = kernel.map((value, index) => value * deviations[index % 3]);
    const bias = [0, 1].map((filter) =>
      means.reduce((total, value, channel) => total + kernel[filter * 3 + channel] * value, 0),
    );
    return buildOnnx({
      shape: ['N', 3, 2, 2],
      weights: [floats('k', [2, 3, 1, 1], weights), floats('b', [2], bias)],
      nodes: [node('Conv x,k,b -> c'), node('GlobalAveragePool c -> p'), node('Flatten p -> y')],
    });
  };
  const same = (value: number) => [value, value, value];
  const plain = rewritten(same(0), same(1));

  it.each<[string, Uint8Array, PixelConvention]>([
    ['0..1', plain, { range: '0..1' }],
    ['-1..1', rewritten(same(0.5), same(0.5)), { range: '-1..1' }],
    ['0..255', rewritten(same(0), same(1 / 255)), { range: '0..255' }],
    ['mean and deviation', rewritten(mean, deviation), { mean, std: deviation }],
    ['both', rewritten(same(127.5 / 255), same(10 / 255)), { range: '0..255', mean: [127.5], std: [10] }],
  ])('is told: %s', async (_, bytes, pixels) => {
    const expected = await runModel(
      (await importModel(plain, 'x.onnx')).model,
      Float32Array.from(picture),
      [1, 3, 2, 2],
    );
    const { model, notes } = await importModel(bytes, 'x.onnx', { pixels });
    const actual = await runModel(model, Float32Array.from(picture), [1, 3, 2, 2]);
    expect(actual.map((value, index) => Math.abs(value - expected[index])).filter((error) => error > 1e-5)).toEqual([]);
    expect(notes).toEqual([]);
  });

  it('is never guessed in silence', async () => {
    const { notes } = await importModel(rewritten(mean, deviation), 'x.onnx');
    expect(notes).toEqual([
      expect.stringMatching(/0\.\.1 is assumed\. .*--range -1\.\.1.*--range 0\.\.255.*--mean, --std/),
    ]);
  });

  it.each<[string, Parameters<typeof buildOnnx>[0]['nodes'], readonly number[], readonly number[]]>([
    ['Sub and Div', [node('Sub x,m -> a'), node('Div a,s -> z')], mean, deviation],
    ['Mul and Add', [node('Mul x,f -> a'), node('Add a,n -> z')], [0.5, 0.5, 0.5], [0.5, 0.5, 0.5]],
    ['Div by 255, Sub, Mul', [node('Div x,w -> a'), node('Sub a,m -> b'), node('Mul b,f -> z')], mean, [0.5, 0.5, 0.5]],
    ['Cast, Mul', [{ ...node('Cast x -> a', { to: 1 }) }, node('Mul a,i -> z')], [0, 0, 0], [1, 1, 1]],
  ])('is what the graph does first: %s', async (_, first, means, deviations) => {
    const bytes = buildOnnx({
      shape: ['N', 3, 2, 2],
      weights: [
        floats('m', [1, 3, 1, 1], mean),
        floats('s', [3, 1, 1], deviation),
        floats('f', [], [2]),
        floats('n', [], [-1]),
        floats('w', [], [255]),
        floats('i', [1], [1 / 255]),
        floats('k', [2, 3, 1, 1], kernel),
      ],
      nodes: [...first, node('Conv z,k -> c'), node('GlobalAveragePool c -> p'), node('Flatten p -> y')],
    });
    const { preprocessing } = (await importModel(bytes, 'x.onnx')).model.graph;
    expect(preprocessing?.mean.map((value) => value.toFixed(5))).toEqual(means.map((value) => value.toFixed(5)));
    expect(preprocessing?.standardDeviation.map((value) => value.toFixed(5))).toEqual(
      deviations.map((value) => value.toFixed(5)),
    );
  });
});

describe('safetensors at the edge of the format (I33)', () => {
  const file = (header: string, data: number): Uint8Array => {
    const bytes = text(header);
    const made = new Uint8Array(8 + bytes.length + data);
    new DataView(made.buffer).setBigUint64(0, BigInt(bytes.length), true);
    made.set(bytes, 8);
    return made;
  };
  const entry = '"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}';

  test('a header that ends in NUL is refused by name', () => {
    expect(() => parseSafetensors(file(`{${entry}}\0\0`, 4))).toThrow(
      /its header must be JSON: current value is '\\u0000' at \d+/,
    );
  });
  test('a tensor twice is refused by name', () => {
    expect(() => parseSafetensors(file(`{${entry},${entry}}`, 4))).toThrow("each key once: current value is 'w' twice");
  });
  test('data at an odd place, no metadata, and no tensors are read', () => {
    const odd = `{"__metadata__":{},${entry}} `;
    expect((8 + odd.length) % 2).toBe(1);
    expect(parseSafetensors(file(odd, 4)).tensors.get('w')?.shape).toEqual([1]);
    expect(parseSafetensors(file('{"__metadata__":{}}', 0)).tensors.size).toBe(0);
    expect(parseSafetensors(file('{}', 0)).tensors.size).toBe(0);
  });
});

const random = (graph: Graph): Model => initializeWeights(graph, createRandomStream(1, 'weights'));

/** Logits of pictures with the channels last, in float64. */
async function logitsOf(model: Model, images: Float32Array): Promise<number[]> {
  const backend = createCpuBackend({ precision: 'float64' });
  const [height, width, channels] = model.graph.inputShape;
  const shape = [images.length / (height * width * channels), height, width, channels];
  return [...(await predictLogits(createNetwork(backend, model), backend.tensor(images, shape)))];
}

const differences = (actual: ArrayLike<number>, expected: readonly number[]): number[] =>
  expected.map((value, index) => Math.abs(value - actual[index])).filter((difference) => !(difference < 1e-4));

describe('what is exported', () => {
  test('takes batches of any size (E01) and says the lowest version of its format (E02)', async () => {
    const model = random(createArchitecture('lenet5-half'));
    const bytes = writeOnnx(model);
    const { irVersion, opset } = parseOnnx(bytes, fail);
    expect([irVersion, opset]).toEqual([8, 17]);
    for (const batch of [1, 3, 256]) {
      const data = createRandomStream(2, 'images').normal(batch * 32 * 32);
      const { logits } = await runOnnx(bytes, { shape: [batch, 1, 32, 32], data });
      expect(logits.shape).toEqual([batch, 10]);
      expect(differences(logits.data, await logitsOf(model, data))).toEqual([]);
    }
  });

  test('gives logits, or probabilities by that name, which are told when it is read (E04)', async () => {
    const model = random(createArchitecture('lenet5-half'));
    const data = createRandomStream(2, 'images').normal(32 * 32);
    const input = { shape: [1, 1, 32, 32], data };
    const logits = await logitsOf(model, data);
    const [bare, soft] = [writeOnnx(model), writeOnnx(model, { includesSoftmax: true })];
    expect(Object.keys(await runOnnx(bare, input))).toContain('logits');
    const { probabilities } = await runOnnx(soft, input);
    expect(probabilities.data.reduce((total, value) => total + value, 0)).toBeCloseTo(1, 5);
    const [first, second] = await Promise.all([importModel(bare, 'bare.onnx'), importModel(soft, 'soft.onnx')]);
    expect(first.notes).toEqual([]);
    expect(second.notes).toEqual([expect.stringMatching(/^The logits are what Softmax '.*' at its end reads$/)]);
    for (const { model: back } of [first, second]) expect(differences(await logitsOf(back, data), logits)).toEqual([]);
  });

  test.each(['hwc', 'chw'] as const)(
    'takes channels first, whatever order a flattening reads: %s (E05)',
    async (order) => {
      const graph: Graph = {
        name: 'map',
        inputShape: [5, 4, 3],
        nodes: [
          { kind: 'flatten', name: 'row', inputs: ['input'], order },
          { kind: 'dense', name: 'logits', inputs: ['row'], units: 2, useBias: true },
        ],
        outputs: { logits: 'logits', features: 'row' },
        preprocessing: { resize: 'bilinear', mean: [0, 0, 0], standardDeviation: [1, 1, 1] },
      };
      const model = random(graph);
      const data = createRandomStream(2, 'images').normal(60);
      const expected = await logitsOf(model, data);
      const first = Float32Array.from(data, (_, index) => data[(index % 20) * 3 + Math.floor(index / 20)]);
      for (const [layout, values, shape] of [
        ['nchw', first, [1, 3, 5, 4]],
        ['nhwc', data, [1, 5, 4, 3]],
      ] as const) {
        const bytes = writeOnnx(model, { layout });
        const { logits } = await runOnnx(bytes, { shape, data: values });
        expect(differences(logits.data, expected)).toEqual([]);
        const { model: back } = await importModel(bytes, 'map.onnx');
        expect(differences(await logitsOf(back, data), expected)).toEqual([]);
        expect(back.graph).toEqual(graph);
        const operators = parseOnnx(bytes, fail).nodes.map(({ operator }) => operator);
        // Rows of the dense layer are put in order, not the pictures.
        expect(layout === 'nchw' && operators.includes('Transpose')).toBe(false);
      }
    },
  );

  test('keeps what pictures need and the names of classes (E08)', async () => {
    const graph = createArchitecture('lenet5-half');
    const model = random({ ...graph, classNames: 'abcdefghij'.split('') });
    for (const bytes of [writeOnnx(model), writeModel(model)]) {
      const back = (await importModel(bytes, 'x.bin')).model.graph;
      expect(back).toMatchObject({
        classNames: model.graph.classNames,
        preprocessing: graph.preprocessing,
        inputShape: [32, 32, 1],
      });
    }
  });
});
