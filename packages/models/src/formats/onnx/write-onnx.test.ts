import { createWasmBackend } from '@dafl/backend-wasm';
import {
  createNetwork,
  createRandomStream,
  type Graph,
  inferShapes,
  type Model,
  type ModelNode,
  softmaxRows,
} from '@dafl/core';
import { withTape } from '@dafl/core/autodiff';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { architectures } from '../../architectures/architectures.ts';
import { lenet5 } from '../../architectures/lenet5.ts';
import { runOnnx } from './_testing/run-onnx.ts';
import { readOnnx } from './read-onnx.ts';
import { writeOnnx } from './write-onnx.ts';

/** Weights with which nothing vanishes: running variances about 1, and scales that differ between channels. */
function randomModel(graph: Graph): Model {
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

const BATCH = 2;

function randomInput(graph: Graph): { shape: number[]; data: Float32Array } {
  const shape = [BATCH, ...graph.inputShape];
  const size = shape.reduce((total, length) => total * length, 1);
  return { shape, data: createRandomStream(8, 'input').normal(size) };
}

let backend: Awaited<ReturnType<typeof createWasmBackend>>;
beforeAll(async () => {
  backend = await createWasmBackend({ threads: 1 });
});
afterAll(async () => {
  await backend.close();
});

/** What dafl says. */
async function runDafl(model: Model, input: { shape: number[]; data: Float32Array }, role: string) {
  const network = createNetwork(backend, model);
  const output = await withTape(backend, (tape) => {
    const values = network.forward(tape, tape.own(backend.tensor(input.data, input.shape)), { mode: 'inference' });
    return backend.read(values[role].tensor);
  });
  network.dispose();
  return output;
}

/** [batch, height, width, channels] to [batch, channels, height, width]. */
function toChannelsFirst(values: { shape: readonly number[]; data: ArrayLike<number> }) {
  if (values.shape.length !== 4) return { shape: [...values.shape], data: Float32Array.from(values.data) };
  const [batch, height, width, channels] = values.shape;
  const positions = height * width;
  const data = new Float32Array(values.data.length);
  for (let index = 0; index < data.length; index++) {
    const channel = index % channels;
    const position = Math.floor(index / channels) % positions;
    const example = Math.floor(index / channels / positions);
    data[(example * channels + channel) * positions + position] = values.data[index];
  }
  return { shape: [batch, channels, height, width], data };
}

/** The layers of a graph that have weights, and what is said of its input and classes. */
function outline({ nodes, inputShape, outputs, preprocessing, classNames }: Graph) {
  const layers = nodes.flatMap(({ name, kind }) =>
    ['conv2d', 'dense', 'batchNorm'].includes(kind) ? [name, kind] : [],
  );
  return { layers, inputShape, logits: outputs.logits, preprocessing, classNames };
}

function largestDifference(left: ArrayLike<number>, right: ArrayLike<number>): number {
  expect(left.length).toBe(right.length);
  return Array.from(left).reduce((largest, value, index) => Math.max(largest, Math.abs(value - right[index])), 0);
}

describe('writeOnnx', () => {
  // One of each family; half the usual input where the network takes it.
  const names = [
    'lenet5',
    'lenet5-half',
    'hintonnet',
    'airbench-0.5',
    'resnet18',
    'resnet20',
    'wrn-16-1',
    'vgg8',
    'mobilenetv2',
  ];
  const small: Record<string, readonly [number, number, number]> = { resnet18: [8, 8, 3] };
  test.each(names)('ONNX Runtime gives the logits of %s', async (name) => {
    const inputShape = small[name];
    const graph = architectures.get(name)!.create(inputShape === undefined ? {} : { inputShape });
    const model = randomModel(graph);
    const input = randomInput(graph);
    const { logits } = await runOnnx(writeOnnx(model), toChannelsFirst(input));
    expect(logits.shape).toEqual([BATCH, inferShapes(graph).get(graph.outputs.logits)!.output[0]]);
    expect(largestDifference(logits.data, await runDafl(model, input, 'logits'))).toBeLessThan(1e-4);
  });

  const epsilon = 0.01;
  const around = { top: 1, bottom: 0, left: 2, right: 1 };
  const window = { windowSize: [3, 2], strides: [2, 1], padding: around } as const;
  test.each<[string, readonly ModelNode[]]>([
    ...(
      [
        'relu',
        'relu6',
        'leakyRelu',
        'sigmoid',
        'hardSigmoid',
        'hardSwish',
        'silu',
        'gelu',
        'tanh',
        'abs',
        'erf',
        'elu',
        'selu',
        'softplus',
        'softsign',
        'mish',
        'geluTanh',
      ] as const
    ).map((name): [string, ModelNode[]] => [
      name,
      [
        { kind: 'affine', name: 'wide', inputs: ['input'], factor: [5], summand: [0] },
        { kind: 'activation', name: 'a', inputs: ['wide'], function: name },
      ],
    ]),
    [
      'leakyRelu of slope 0.2',
      [{ kind: 'activation', name: 'a', inputs: ['input'], function: 'leakyRelu', slope: 0.2 }],
    ],
    [
      'softmax',
      [
        { kind: 'globalAveragePool2d', name: 'p', inputs: ['input'] },
        { kind: 'activation', name: 'a', inputs: ['p'], function: 'softmax' },
      ],
    ],
    [
      'conv2d with groups, dilations and padding on one side',
      [
        {
          kind: 'conv2d',
          name: 'a',
          inputs: ['input'],
          filters: 8,
          kernelSize: [2, 3],
          strides: [2, 1],
          padding: around,
          dilations: [2, 1],
          groups: 2,
          useBias: true,
        },
      ],
    ],
    ['affine for each channel', [{ kind: 'affine', name: 'a', inputs: ['input'], factor: [1, 2, 3, 4], summand: [5] }]],
    [
      'batchNorm of images without scale and of rows',
      [
        { kind: 'batchNorm', name: 'a', inputs: ['input'], epsilon: 0.1, momentum: 0, affine: false },
        { kind: 'globalAveragePool2d', name: 'p', inputs: ['a'] },
        { kind: 'batchNorm', name: 'b', inputs: ['p'], epsilon: 1e-5, momentum: 0, affine: true },
      ],
    ],
    [
      'batchNorm of sequences',
      [
        { kind: 'reshape', name: 'r', inputs: ['input'], shape: [30, 4] },
        { kind: 'batchNorm', name: 'a', inputs: ['r'], epsilon: 0.01, momentum: 0, affine: true },
      ],
    ],
    ['maxPool2d', [{ kind: 'maxPool2d', name: 'a', inputs: ['input'], ...window, padding: { ...around, left: 1 } }]],
    ...[true, false].map((countsPadding): [string, ModelNode[]] => [
      `averagePool2d, padding ${countsPadding ? 'counted' : 'not counted'}`,
      [
        {
          kind: 'averagePool2d',
          name: 'a',
          inputs: ['input'],
          ...window,
          padding: { ...around, left: 1 },
          countsPadding,
        },
      ],
    ]),
    ['pad2d', [{ kind: 'pad2d', name: 'a', inputs: ['input'], padding: around }]],
    ['upsampleNearest2d', [{ kind: 'upsampleNearest2d', name: 'a', inputs: ['input'], factors: [2, 3] }]],
    ['concat', [{ kind: 'concat', name: 'a', inputs: ['input', 'input'] }]],
    ['add of three', [{ kind: 'add', name: 'a', inputs: ['input', 'input', 'input'] }]],
    ['add of one', [{ kind: 'add', name: 'a', inputs: ['input'] }]],
    [
      'multiply by a gate',
      [
        { kind: 'globalAveragePool2d', name: 'p', inputs: ['input'] },
        { kind: 'multiply', name: 'a', inputs: ['input', 'p'] },
      ],
    ],
    [
      'add of a row for each column',
      [
        {
          kind: 'maxPool2d',
          name: 'p',
          inputs: ['input'],
          windowSize: [6, 1],
          strides: [6, 1],
          padding: { ...around, top: 0, left: 0, right: 0 },
        },
        { kind: 'reshape', name: 'r', inputs: ['p'], shape: [5, 4] },
        { kind: 'add', name: 'a', inputs: ['r', 'input'] },
      ],
    ],
    ...(['hwc', 'chw'] as const).map((order): [string, ModelNode[]] => [
      `flatten in order ${order}, and dense`,
      [
        { kind: 'flatten', name: 'f', inputs: ['input'], order },
        { kind: 'dense', name: 'a', inputs: ['f'], units: 7, useBias: order === 'hwc' },
      ],
    ]),
    [
      'reshape to images and to rows',
      [
        { kind: 'reshape', name: 'r', inputs: ['input'], shape: [3, 4, 10] },
        { kind: 'reshape', name: 'a', inputs: ['r'], shape: [120] },
      ],
    ],
    ['dropout', [{ kind: 'dropout', name: 'a', inputs: ['input'], rate: 0.5 }]],
    [
      'log, sqrt and a power of a square',
      [
        { kind: 'power', name: 'p', inputs: ['input'], exponent: 2 },
        { kind: 'affine', name: 'q', inputs: ['p'], factor: [1], summand: [0.1] },
        { kind: 'activation', name: 's', inputs: ['q'], function: 'sqrt' },
        { kind: 'activation', name: 'a', inputs: ['s'], function: 'log' },
      ],
    ],
    [
      'elu and hardSigmoid with parameters of their own',
      [
        { kind: 'activation', name: 'e', inputs: ['input'], function: 'elu', alpha: 0.7 },
        { kind: 'activation', name: 'a', inputs: ['e'], function: 'hardSigmoid', alpha: 0.2, beta: 0.4 },
      ],
    ],
    ['exp', [{ kind: 'activation', name: 'a', inputs: ['input'], function: 'exp' }]],
    ['clip from below', [{ kind: 'clip', name: 'a', inputs: ['input'], minimum: -0.5 }]],
    ['clip from above', [{ kind: 'clip', name: 'a', inputs: ['input'], maximum: 0.5 }]],
    ...[0, 1, 2].map((axis): [string, ModelNode[]] => [
      `concat along axis ${axis}`,
      [{ kind: 'concat', name: 'a', inputs: ['input', 'input'], axis }],
    ]),
    ...(['divide', 'maximum', 'minimum', 'subtract'] as const).map((kind): [string, ModelNode[]] => [
      `${kind} and constants of each channel`,
      [
        { kind: 'constant', name: 'c', inputs: [], shape: [6, 5, 4], trainable: false },
        { kind: 'constant', name: 'd', inputs: [], shape: [4], trainable: true },
        { kind, name: 'b', inputs: ['input', 'c'] },
        { kind: 'maximum', name: 'a', inputs: ['b', 'd'] },
      ],
    ]),
    [
      'concat with a constant',
      [
        { kind: 'constant', name: 'c', inputs: [], shape: [6, 5, 2], trainable: true },
        { kind: 'concat', name: 'a', inputs: ['c', 'input'] },
      ],
    ],
    ...(['rowsFirst', 'channelsFirst'] as const).map((order): [string, ModelNode[]] => [
      `depthToSpace, ${order}`,
      [{ kind: 'depthToSpace', name: 'a', inputs: ['input'], blockSize: 2, order }],
    ]),
    [
      'spaceToDepth',
      [
        { kind: 'depthToSpace', name: 'd', inputs: ['input'], blockSize: 2, order: 'rowsFirst' },
        { kind: 'spaceToDepth', name: 'a', inputs: ['d'], blockSize: 2 },
      ],
    ],
    ...[true, false].flatMap((affine): [string, ModelNode[]][] => [
      [
        `groupNorm, affine ${affine}`,
        [{ kind: 'groupNorm', name: 'a', inputs: ['input'], groups: 2, epsilon, affine }],
      ],
      [`instanceNorm, affine ${affine}`, [{ kind: 'instanceNorm', name: 'a', inputs: ['input'], epsilon, affine }]],
      [`layerNorm, affine ${affine}`, [{ kind: 'layerNorm', name: 'a', inputs: ['input'], epsilon, affine }]],
    ]),
    [
      'localResponseNorm',
      [{ kind: 'localResponseNorm', name: 'a', inputs: ['input'], size: 3, alpha: 0.3, beta: 0.75, bias: 2 }],
    ],
    [
      'attention of rows',
      [
        { kind: 'reshape', name: 'q', inputs: ['input'], shape: [5, 6, 4] },
        { kind: 'transpose', name: 'k', inputs: ['q'], permutation: [0, 2, 1] },
        { kind: 'matMul', name: 's', inputs: ['q', 'k'] },
        { kind: 'softmax', name: 'p', inputs: ['s'], axis: 2, logarithm: false },
        { kind: 'matMul', name: 'a', inputs: ['p', 'q'] },
      ],
    ],
    [
      'transpose to four axes and back',
      [
        { kind: 'reshape', name: 'r', inputs: ['input'], shape: [2, 3, 5, 4] },
        { kind: 'transpose', name: 't', inputs: ['r'], permutation: [2, 0, 3, 1] },
        { kind: 'reduce', name: 'a', inputs: ['t'], operation: 'sum', axes: [1], keepDimensions: false },
      ],
    ],
    ...[0, 1, 2].map((axis): [string, ModelNode[]] => [
      `softmax and its logarithm along axis ${axis}`,
      [
        { kind: 'softmax', name: 's', inputs: ['input'], axis, logarithm: false },
        { kind: 'softmax', name: 'a', inputs: ['s'], axis, logarithm: true },
      ],
    ]),
    ...(['constant', 'edge', 'reflect'] as const).map((mode): [string, ModelNode[]] => [
      `pad2d, ${mode}`,
      [
        {
          kind: 'pad2d',
          name: 'a',
          inputs: ['input'],
          padding: around,
          mode,
          ...(mode === 'constant' && { value: 3 }),
        },
      ],
    ]),
    ['prelu', [{ kind: 'prelu', name: 'a', inputs: ['input'] }]],
    ...(['mean', 'sum', 'max', 'min'] as const).flatMap((operation) =>
      [[0, 1], [2], [0], [0, 1, 2]].flatMap((axes) =>
        [true, false].map((keepDimensions): [string, ModelNode[]] => [
          `${operation} over [${axes.join()}], sizes of 1 ${keepDimensions ? 'kept' : 'dropped'}`,
          [{ kind: 'reduce', name: 'a', inputs: ['input'], operation, axes, keepDimensions }],
        ]),
      ),
    ),
    ...(['halfPixel', 'asymmetric', 'alignCorners'] as const).flatMap((coordinates): [string, ModelNode[]][] =>
      (
        [
          [12, 10],
          [9, 7],
          [4, 3],
        ] as const
      ).flatMap((size): [string, ModelNode[]][] => [
        [
          `resize2d to ${size.join(' x ')}, bilinear, ${coordinates}`,
          [{ kind: 'resize2d', name: 'a', inputs: ['input'], size, mode: 'bilinear', coordinates }],
        ],
        [
          `resize2d to ${size.join(' x ')}, nearest, ${coordinates}`,
          [{ kind: 'resize2d', name: 'a', inputs: ['input'], size, mode: 'nearest', coordinates, rounding: 'floor' }],
        ],
      ]),
    ),
    ['slice', [{ kind: 'slice', name: 'a', inputs: ['input'], begin: [1, 0, 1], size: [2, 5, 2], strides: [2, 1, 2] }]],
    [
      'transposedConv2d in groups',
      [
        {
          kind: 'transposedConv2d',
          name: 'a',
          inputs: ['input'],
          filters: 6,
          kernelSize: [3, 2],
          strides: [2, 1],
          padding: { top: 1, bottom: 0, left: 0, right: 1 },
          dilations: [1, 2],
          groups: 2,
          outputPadding: [1, 0],
          useBias: true,
        },
      ],
    ],
    ...[true, false].map((useBias): [string, ModelNode[]] => [
      `dense layers of the rows of a map and of a matrix ${useBias ? 'with' : 'without'} bias`,
      [
        { kind: 'dense', name: 'd', inputs: ['input'], units: 3, useBias },
        { kind: 'reshape', name: 'm', inputs: ['d'], shape: [6, 15] },
        { kind: 'dense', name: 'a', inputs: ['m'], units: 2, useBias },
      ],
    ]),
    [
      'nodes called like weights, outputs and steps',
      [
        { kind: 'flatten', name: 'values', inputs: ['input'], order: 'hwc' },
        { kind: 'dense', name: 'd', inputs: ['values'], units: 3, useBias: true },
        { kind: 'activation', name: 'd.kernel', inputs: ['d'], function: 'silu' },
        { kind: 'dense', name: 'd.kernel.kernel', inputs: ['d.kernel'], units: 3, useBias: true },
      ],
    ],
  ])('ONNX Runtime gives what %s gives, in both layouts', async (_, nodes) => {
    const last = nodes.at(-1)!;
    const graph: Graph = { name: 'g', inputShape: [6, 5, 4], nodes, outputs: { values: last.name } };
    const model = randomModel(graph);
    const input = randomInput(graph);
    const expected = {
      shape: [BATCH, ...inferShapes(graph).get(last.name)!.output],
      data: await runDafl(model, input, 'values'),
    };
    const { values } = await runOnnx(writeOnnx(model), toChannelsFirst(input));
    const channelsFirst = toChannelsFirst(expected);
    expect(values.shape).toEqual(channelsFirst.shape);
    expect(largestDifference(values.data, channelsFirst.data)).toBeLessThan(1e-5);
    const channelsLast = await runOnnx(writeOnnx(model, { layout: 'nhwc' }), input);
    expect(channelsLast.values.shape).toEqual(expected.shape);
    expect(largestDifference(channelsLast.values.data, expected.data)).toBeLessThan(1e-5);
  });

  test.each(names)('comes back from ONNX as it was: %s', async (name) => {
    const inputShape = small[name];
    const model = randomModel(architectures.get(name)!.create(inputShape === undefined ? {} : { inputShape }));
    const input = randomInput(model.graph);
    const expected = await runDafl(model, input, 'logits');
    const { model: read, notes } = readOnnx(writeOnnx(model), `${model.graph.name}.onnx`);
    expect(notes).toEqual([]);
    // Momentum has no place in ONNX; some nodes come back as several.
    expect(outline(read.graph)).toEqual(outline(model.graph));
    expect(largestDifference(await runDafl(read, input, 'logits'), expected)).toBeLessThan(1e-5);
  });

  test('takes stored pixels and gives probabilities where asked', async () => {
    const model = randomModel(lenet5());
    const { mean, standardDeviation } = model.graph.preprocessing!;
    const shape = [BATCH, ...model.graph.inputShape];
    const pixels = createRandomStream(9, 'pixels').uniform(BATCH * 32 * 32, 0, 255);
    const prepared = pixels.map((pixel) => (pixel / 255 - mean[0]) / standardDeviation[0]);
    const expected = softmaxRows(await runDafl(model, { shape, data: prepared }, 'logits'), 10);
    const bytes = writeOnnx(model, { layout: 'nhwc', includesPreprocessing: true, includesSoftmax: true });
    const outputs = await runOnnx(bytes, { shape, data: pixels });
    expect(Object.keys(outputs)).toEqual(['probabilities']);
    expect(largestDifference(outputs.probabilities.data, expected)).toBeLessThan(1e-5);
  });

  test('takes any number of images', async () => {
    const model = randomModel(lenet5());
    const bytes = writeOnnx(model);
    for (const count of [1, 3]) {
      const { logits } = await runOnnx(bytes, { shape: [count, 1, 32, 32], data: new Float32Array(count * 1024) });
      expect(logits.shape).toEqual([count, 10]);
    }
  });

  test('writes class names, preprocessing and layout into the metadata', () => {
    const classNames = ['zéro', ...Array.from({ length: 9 }, (_, index) => `class ${index + 1}`)];
    const preprocessing = { resize: 'bilinear', mean: [0.25], standardDeviation: [0.5] } as const;
    const model = randomModel({ ...lenet5(), classNames, preprocessing });
    const text = new TextDecoder().decode(writeOnnx(model));
    expect(text).toContain(JSON.stringify(classNames));
    expect(text).toContain('{"resize":"bilinear","range":[0,1],"mean":[0.25],"standardDeviation":[0.5]}');
    expect(text).toContain('nchw');
    expect(new TextDecoder().decode(writeOnnx(model, { includesPreprocessing: true }))).toContain(
      '{"resize":"bilinear","range":[0,255]}',
    );
  });

  test('comes back in its layout where a transposition comes first', () => {
    const graph: Graph = {
      name: 'g',
      inputShape: [6, 5, 4],
      nodes: [
        { kind: 'transpose', name: 't', inputs: ['input'], permutation: [2, 0, 1] },
        { kind: 'flatten', name: 'f', inputs: ['t'], order: 'hwc' },
        { kind: 'dense', name: 'logits', inputs: ['f'], units: 3, useBias: true },
      ],
      outputs: { logits: 'logits' },
    };
    expect(readOnnx(writeOnnx(randomModel(graph)), 'g.onnx').model.graph.inputShape).toEqual([6, 5, 4]);
  });

  test('names what a model lacks that is to be inside', () => {
    const nodes: ModelNode[] = [{ kind: 'pad2d', name: 'a', inputs: ['input'], padding: around }];
    const model = { graph: { name: 'g', inputShape: [2, 2, 1], nodes, outputs: { images: 'a' } }, weights: new Map() };
    expect(() => writeOnnx(model, { includesSoftmax: true })).toThrow(
      "Cannot write model 'g' as ONNX as softmax needs an output 'logits': current value is [images]",
    );
    expect(() => writeOnnx(model, { includesPreprocessing: true })).toThrow(
      "Cannot write model 'g' as ONNX as preprocessing can only be inside where the model has 'preprocessing': current value is undefined",
    );
  });
});
