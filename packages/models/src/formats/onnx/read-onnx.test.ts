import { readFileSync } from 'node:fs';
import { createCpuBackend } from '@dafl/backend-cpu';
import {
  createNetwork,
  createRandomStream,
  DaflError,
  describeClassifier,
  type Graph,
  initializeWeights,
  softmaxRows,
} from '@dafl/core';
import { describe, expect, it } from 'vitest';
import { compareGradients, drawArgument } from '../../../../core/src/_testing/compare-gradients.ts';
import { drawInputs, runModel } from './_testing/run-model.ts';
import { openOnnx, readOnnx } from './read-onnx.ts';
import { writeOnnx } from './write-onnx.ts';

const folder = new URL('../../../../../test-fixtures/onnx/', import.meta.url);
const bytesOf = (name: string): Uint8Array => readFileSync(new URL(`${name}.onnx`, folder));

/** What ONNX Runtime computes: see the generators beside the fixtures. */
interface Record {
  readonly inputShape: readonly number[];
  readonly head: 'softmax' | 'logSoftmax' | null;
  readonly output: readonly (readonly number[])[];
}
const recordOf = (name: string): Record => JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as Record;
const siblings = new Map([['gemm.onnx.data', readFileSync(new URL('gemm.onnx.data', folder))]]);

/** Largest difference between what a model gives and what ONNX Runtime does. */
async function errorOf(name: string): Promise<number> {
  const { model } = readOnnx(bytesOf(name), `${name}.onnx`, { siblings });
  const { inputShape, output, head } = recordOf(name);
  const size = inputShape.reduce((total, length) => total * length, 1);
  const logits = await runModel(model, drawInputs(size), inputShape);
  const probabilities = head === null ? logits : softmaxRows(logits, output[0].length);
  const actual = head === 'logSoftmax' ? probabilities.map(Math.log) : probabilities;
  const expected = output.flat();
  expect(actual).toHaveLength(expected.length);
  return Math.max(...expected.map((value, index) => Math.abs(actual[index] - value)));
}

describe('readOnnx', () => {
  it.each([
    'lenet-script',
    'lenet-dynamo',
    'lenet-unfolded',
    'residual-script',
    'residual-dynamo',
    'strided-script',
    'strided-dynamo',
    'tf-style',
    'gemm',
    'maps',
    'attention',
    'decoder',
    'branches',
    'functions',
    'dilated',
    'single',
    'folds',
    'resizing',
    'volumes',
    'norms',
    'neighbours-script',
    'neighbours-dynamo',
    'lines',
    'comparisons',
    'fused',
    'attention-operator',
    'batches',
  ])('computes what ONNX Runtime does: %s', async (name) => {
    expect(await errorOf(name)).toBeLessThan(1e-5);
  });

  const differentiated = [
    'tf-style',
    'gemm',
    'maps',
    'attention',
    'decoder',
    'dilated',
    'resizing',
    'volumes',
    'norms',
    'neighbours-dynamo',
    'lines',
    'comparisons',
    'fused',
    'attention-operator',
    'batches',
  ];
  it.each(differentiated)('gives the gradient of its input: %s', async (name) => {
    const { model } = readOnnx(bytesOf(name), `${name}.onnx`, { siblings });
    const backend = createCpuBackend({ precision: 'float64' });
    const network = createNetwork(backend, model);
    const input = drawArgument([1, ...model.graph.inputShape]);
    const [{ analytic, numeric }] = await compareGradients(
      backend,
      [input],
      (tape, [image]) => network.forward(tape, image, { mode: 'inference' }).logits,
    );
    expect(Math.max(...Array.from(numeric, Math.abs))).toBeGreaterThan(1e-4);
    for (let index = 0; index < numeric.length; index++)
      expect(Math.abs(analytic[index] - numeric[index])).toBeLessThan(1e-7);
  });

  it('finds the logits, the features and the names of classes, and makes arithmetic on the input preprocessing', () => {
    const { model, notes } = readOnnx(bytesOf('tf-style'), 'folder/tf-style.onnx');
    const { graph } = model;
    expect(graph).toMatchObject({
      name: 'tf-style',
      inputShape: [16, 16, 3],
      outputs: { logits: 'MatMul_k', features: 'Reshape_j' },
      classNames: ['ant', 'bee', 'cat', 'dog', 'elk'],
    });
    expect(graph.nodes.at(-1)).toMatchObject({ name: 'MatMul_k', kind: 'dense', units: 5, useBias: true });
    expect(graph.preprocessing!.mean.map((mean) => mean * 255)).toEqual(
      [120, 110, 100].map((mean) => expect.closeTo(mean, 9)),
    );
    expect(graph.preprocessing!.standardDeviation).toEqual(Array(3).fill(expect.closeTo(64 / 255, 9)));
    expect(notes).toEqual([
      "The logits are what Softmax 'Softmax_y' at its end reads",
      'Arithmetic on its input is taken as preprocessing, of pixels in 0..255',
    ]);
  });

  it('takes one sigmoid unit as two classes, and several as one each', async () => {
    for (const units of [1, 3]) {
      const graph: Graph = {
        name: 'sure',
        inputShape: [2, 2, 1],
        nodes: [
          { kind: 'flatten', name: 'flat', inputs: ['input'], order: 'hwc' },
          { kind: 'dense', name: 'unit', inputs: ['flat'], units, useBias: true },
          { kind: 'activation', name: 'p', inputs: ['unit'], function: 'sigmoid' },
          { kind: 'affine', name: 'percent', inputs: ['p'], factor: [100], summand: [0] },
        ],
        outputs: { logits: 'percent', features: 'flat' },
      };
      const written = writeOnnx(initializeWeights(graph, createRandomStream(3, 'weights')));
      const { model, notes } = readOnnx(written, 'sure.onnx');
      const { classes, featureSize } = describeClassifier(model.graph);
      expect([classes, featureSize]).toEqual([Math.max(2, units), 4]);
      const says = units === 1 ? /^The one unit of Sigmoid '.*' .* two classes/ : /^The logits .* to be of one class/;
      expect(notes).toContainEqual(expect.stringMatching(says));
    }
  });

  it('says that a file does not name its range of pixels, and takes what it is told', () => {
    expect(readOnnx(bytesOf('lenet-script'), 'lenet.onnx').notes).toEqual([
      expect.stringMatching(/^The file does not say which range of pixels it takes: 0\.\.1 is assumed/),
    ]);
    const pixels = { range: '0..255', mean: [33], std: [78] } as const;
    const { model, notes } = readOnnx(bytesOf('lenet-script'), 'lenet.onnx', { pixels });
    expect(notes).toEqual([]);
    expect(model.graph.preprocessing).toEqual({ resize: 'bilinear', mean: [33 / 255], standardDeviation: [78 / 255] });
  });

  it('names all nodes that it cannot read at once', () => {
    expect(() => readOnnx(bytesOf('unsupported'), 'unsupported.onnx')).toThrow(
      "Cannot read 'unsupported.onnx' as an ONNX model as its nodes must be ones that this version of dafl can turn into its own: current value is 2 are not: NonZero 'NonZero_b', com.example.Foo 'my/foo'",
    );
  });

  it('reads weights beside the file, and nothing that lies elsewhere', () => {
    expect(openOnnx(bytesOf('gemm'), 'gemm.onnx').siblings).toEqual(
      new Map([['gemm.onnx.data', siblings.get('gemm.onnx.data')!.length]]),
    );
    expect(() => readOnnx(bytesOf('gemm'), 'gemm.onnx')).toThrow(
      /must lie in 'gemm.onnx.data' beside it: current value is no such file$/,
    );
    const escaping = replaceText(bytesOf('gemm'), 'gemm.onnx.data', '../../etc/pass');
    expect(() => openOnnx(escaping, 'gemm.onnx')).toThrow(
      /called by its plain name: current value is '..\/..\/etc\/pass'$/,
    );
    const short = new Map([['gemm.onnx.data', new Uint8Array(10)]]);
    expect(() => readOnnx(bytesOf('gemm'), 'gemm.onnx', { siblings: short })).toThrow(
      /must lie within the 10 bytes of 'gemm.onnx.data'/,
    );
  });

  it('ends in an error of its own wherever a file is cut', () => {
    const bytes = bytesOf('maps');
    for (let length = 0; length < bytes.length; length += 7) {
      expect(() => readOnnx(bytes.subarray(0, length), 'cut.onnx')).toThrow(DaflError);
    }
  });
});

/** Other text of the same length in all places. */
function replaceText(bytes: Uint8Array, from: string, to: string): Uint8Array {
  return Buffer.from(Buffer.from(bytes).toString('latin1').replaceAll(from, to), 'latin1');
}
