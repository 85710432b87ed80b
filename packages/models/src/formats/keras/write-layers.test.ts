import { createRandomStream, type Graph, inferShapes, type Model, type ModelNode, softmaxRows } from '@dafl/core';
import { describe, expect, it, test } from 'vitest';
import { architectures } from '../../architectures/architectures.ts';
import { importModel } from '../import-model.ts';
import { runModel } from '../onnx/_testing/run-model.ts';
import { runTfjs } from '../tfjs/_testing/run-tfjs.ts';
import { writeTfjs } from '../tfjs/write-tfjs.ts';
import { readZip } from '../zip/read-zip.ts';
import { writeZip } from '../zip/write-zip.ts';
import { readKeras } from './read-keras.ts';
import { writeKeras } from './write-keras.ts';

function entriesOf(bytes: Uint8Array): Map<string, Uint8Array> {
  const entries = readZip(bytes, (rule, value) => {
    throw new RangeError(`${rule}: ${value}`);
  });
  return new Map([...entries].map(([name, entry]) => [name, entry.view()]));
}

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

function randomInput(graph: Graph) {
  const shape = [2, ...graph.inputShape];
  return { shape, data: createRandomStream(8, 'input').normal(shape.reduce((total, size) => total * size, 1)) };
}

const readTfjs = (files: ReadonlyMap<string, Uint8Array>) =>
  importModel(files.get('model.json')!, 'model.json', { readSibling: (name) => Promise.resolve(files.get(name)!) });

/** Without what says how pictures become the input, which `runModel` would do. */
const bare = ({ graph, weights }: Model): Model => ({ graph: { ...graph, preprocessing: undefined }, weights });

const largestDifference = (left: ArrayLike<number>, right: ArrayLike<number>): number => {
  expect(left.length).toBe(right.length);
  return Array.from(left).reduce((most, value, index) => Math.max(most, Math.abs(value - right[index])), 0);
};

const small: Record<string, readonly [number, number, number]> = { resnet18: [8, 8, 3] };
const families = [
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

describe('architectures', () => {
  test.each(families)('go through both formats and back as they are: %s', async (name) => {
    const inputShape = small[name];
    const graph = architectures.get(name)!.create(inputShape === undefined ? {} : { inputShape });
    const model = randomModel({ ...graph, classNames: undefined });
    const files = writeTfjs(model);
    expect((await readTfjs(files)).model).toEqual(model);
    expect((await readKeras(writeKeras(model), `${name}.keras`)).model).toEqual(model);
  });

  test.each(families)('give the same logits in TensorFlow.js: %s', async (name) => {
    const inputShape = small[name];
    const model = randomModel(architectures.get(name)!.create(inputShape === undefined ? {} : { inputShape }));
    const input = randomInput(model.graph);
    const expected = await runModel(bare(model), input.data, input.shape);
    expect(largestDifference((await runTfjs(writeTfjs(model), input)).data, expected)).toBeLessThan(1e-4);
  });
});

const node = (fields: object): ModelNode => ({ name: 'node', inputs: ['input'], ...fields }) as unknown as ModelNode;
const around = { top: 1, bottom: 0, left: 2, right: 1 };
const none = { top: 0, bottom: 0, left: 0, right: 0 };
const window = { windowSize: [3, 2], strides: [2, 1] } as const;
const convolution = {
  kind: 'conv2d',
  filters: 6,
  kernelSize: [3, 2],
  strides: [1, 1],
  dilations: [1, 1],
  groups: 1,
  useBias: true,
};

/** Kinds of nodes that both families have. */
const both: readonly (readonly [string, readonly ModelNode[]])[] = [
  ...[
    'relu',
    'relu6',
    'sigmoid',
    'tanh',
    'softplus',
    'softsign',
    'selu',
    'silu',
    'mish',
    'gelu',
    'hardSwish',
    'hardSigmoid',
    'elu',
  ].map((name) => [name, [node({ kind: 'activation', function: name })]] as const),
  ['leakyRelu', [node({ kind: 'activation', function: 'leakyRelu', slope: 0.3 })]],
  ['hardSigmoid of Keras 2', [node({ kind: 'activation', function: 'hardSigmoid', alpha: 0.2, beta: 0.5 })]],
  ['affine', [node({ kind: 'affine', factor: [2, 3, 4, 5], summand: [0, 1, -1, 2] })]],
  ['affine with one number', [node({ kind: 'affine', factor: [2], summand: [0.5] })]],
  ['clip', [node({ kind: 'clip', minimum: -0.5, maximum: 0.7 })]],
  ['clip above', [node({ kind: 'clip', maximum: 0.25 })]],
  ['clip below', [node({ kind: 'clip', minimum: 0.25 })]],
  ['averagePool2d', [node({ kind: 'averagePool2d', ...window, padding: none, countsPadding: false })]],
  [
    'averagePool2d with padding',
    [node({ kind: 'averagePool2d', ...window, padding: { ...around, left: 1 }, countsPadding: true })],
  ],
  ['maxPool2d', [node({ kind: 'maxPool2d', ...window, padding: none })]],
  [
    'maxPool2d with padding',
    [
      node({ kind: 'activation', function: 'relu', name: 'bent' }),
      node({ kind: 'maxPool2d', ...window, padding: { ...around, left: 1 }, inputs: ['bent'] }),
    ],
  ],
  ['batchNorm', [node({ kind: 'batchNorm', epsilon: 0.01, momentum: 0.1, affine: true })]],
  ['batchNorm without scale', [node({ kind: 'batchNorm', epsilon: 0.01, momentum: 0.1, affine: false })]],
  ['layerNorm', [node({ kind: 'layerNorm', epsilon: 0.01, affine: true })]],
  ['conv2d', [node({ ...convolution, padding: around })]],
  ['conv2d, dilated', [node({ ...convolution, dilations: [2, 1], padding: none })]],
  ['conv2d, depthwise', [node({ ...convolution, filters: 8, groups: 4, padding: none, strides: [2, 2] })]],
  [
    'transposedConv2d',
    [
      node({
        kind: 'transposedConv2d',
        filters: 3,
        kernelSize: [3, 3],
        strides: [2, 2],
        dilations: [1, 1],
        groups: 1,
        useBias: true,
        padding: { top: 0, bottom: 1, left: 0, right: 1 },
        outputPadding: [0, 0],
      }),
    ],
  ],
  ['concat', [node({ kind: 'concat', inputs: ['input', 'input'] })]],
  ['concat of rows', [node({ kind: 'concat', axis: 0, inputs: ['input', 'input'] })]],
  ...['add', 'multiply', 'maximum', 'minimum', 'subtract'].map(
    (kind) =>
      [
        kind,
        [
          node({ kind: 'activation', function: 'tanh', name: 'other' }),
          node({ kind, name: 'both', inputs: ['input', 'other'] }),
        ],
      ] as const,
  ),
  [
    'a gate for each channel',
    [
      node({ kind: 'globalAveragePool2d', name: 'mean' }),
      node({ kind: 'dense', name: 'gate', units: 4, useBias: true, inputs: ['mean'] }),
      node({ kind: 'multiply', inputs: ['input', 'gate'] }),
    ],
  ],
  ['dropout', [node({ kind: 'dropout', rate: 0.25 })]],
  ['pad2d', [node({ kind: 'pad2d', padding: around })]],
  ['prelu', [node({ kind: 'prelu' })]],
  ['reduce to the largest', [node({ kind: 'reduce', operation: 'max', axes: [0, 1], keepDimensions: true })]],
  ['reshape', [node({ kind: 'reshape', shape: [20, 6] })]],
  ['slice', [node({ kind: 'slice', begin: [1, 2, 0], size: [3, 2, 4] })]],
  ['softmax', [node({ kind: 'softmax', axis: 2, logarithm: false })]],
  ['transpose', [node({ kind: 'transpose', permutation: [2, 0, 1] })]],
  ['upsampleNearest2d', [node({ kind: 'upsampleNearest2d', factors: [1, 3] })]],
  ['flatten, channels first', [node({ kind: 'flatten', order: 'chw' })]],
];

/** What only Keras has. */
const ofKeras: typeof both = [
  ['conv2d with groups', [node({ ...convolution, groups: 2, padding: none })]],
  [
    'conv2d, depthwise and dilated',
    [node({ ...convolution, filters: 4, groups: 4, dilations: [2, 2], padding: none })],
  ],
  ['groupNorm', [node({ kind: 'groupNorm', groups: 2, epsilon: 0.01, affine: true })]],
  ['instanceNorm', [node({ kind: 'instanceNorm', epsilon: 0.01, affine: true })]],
  ['exp', [node({ kind: 'activation', function: 'exp' })]],
  ['resize2d', [node({ kind: 'resize2d', size: [10, 12], mode: 'bilinear', coordinates: 'halfPixel' })]],
];

/** Nodes between a map and dense logits. */
function graphOf(given: readonly ModelNode[]): Graph {
  // What stood at the input might be taken for preprocessing.
  const nodes = given.map((each) => ({
    ...each,
    inputs: each.inputs.map((name) => (name === 'input' ? 'first' : name)),
  }));
  const last = nodes.at(-1)!.name;
  return {
    name: 'sketch',
    inputShape: [5, 6, 4],
    nodes: [
      node({ ...convolution, name: 'first', filters: 4, kernelSize: [1, 1], padding: none }),
      ...nodes,
      { kind: 'flatten', name: 'deep/flat', inputs: [last], order: 'hwc' },
      { kind: 'dense', name: 'deep/logits', inputs: ['deep/flat'], units: 3, useBias: true },
    ],
    outputs: { logits: 'deep/logits', features: 'deep/flat' },
  };
}

/** Another file with the same layers, which does not say what graph they are. */
function forget(bytes: Uint8Array): Uint8Array {
  const text = new TextDecoder('latin1').decode(bytes);
  return Uint8Array.from(text.replace('"dafl":{"version"', '"dafl":{"vErsion"'), (character) =>
    character.charCodeAt(0),
  );
}

describe('nodes', () => {
  test.each(both)('become layers of TensorFlow.js: %s', async (_, nodes) => {
    const model = randomModel(graphOf(nodes));
    const files = writeTfjs(model);
    const input = randomInput(model.graph);
    const expected = await runModel(model, input.data, input.shape);
    expect(largestDifference((await runTfjs(files, input)).data, expected)).toBeLessThan(1e-4);
    expect((await readTfjs(files)).model).toEqual(model);
    const others = new Map([...files, ['model.json', forget(files.get('model.json')!)] as const]);
    const { model: read } = await readTfjs(others);
    expect(largestDifference(await runModel(read, input.data, input.shape), expected)).toBeLessThan(1e-5);
  });

  test.each([...both, ...ofKeras])('become layers of Keras: %s', async (_, nodes) => {
    const model = randomModel(graphOf(nodes));
    const bytes = writeKeras(model);
    expect((await readKeras(bytes, 'sketch.keras')).model).toEqual(model);
    const entries = entriesOf(bytes);
    const metadata = entries.get('metadata.json')!;
    expect(JSON.parse(new TextDecoder().decode(metadata))).toMatchObject({ keras_version: '3.0.0' });
    const { model: read } = await readKeras(writeZip(entries.set('metadata.json', forget(metadata))), 'sketch.keras');
    const input = randomInput(model.graph);
    const expected = await runModel(model, input.data, input.shape);
    expect(largestDifference(await runModel(read, input.data, input.shape), expected)).toBeLessThan(1e-5);
  });

  it('names all nodes that have no layers', () => {
    const nodes = [
      node({ kind: 'constant', name: 'a', shape: [5, 6, 4], trainable: false, inputs: [] }),
      node({ kind: 'divide', name: 'b', inputs: ['input', 'a'] }),
      node({ kind: 'maxPool2d', name: 'c', ...window, padding: { ...around, left: 1 }, inputs: ['b'] }),
    ];
    expect(() => writeKeras(randomModel(graphOf(nodes)))).toThrow(
      "Cannot write model 'sketch' as Keras as its nodes must be ones that it has layers for: current value is 3 are not: constant 'a', divide 'b', maxPool2d 'c' (its padding, beside values below 0)",
    );
    expect(() => writeTfjs(randomModel(graphOf([node({ ...convolution, groups: 2, padding: none })])))).toThrow(
      /^Cannot write model 'sketch' as TensorFlow.js as .* one is not: conv2d 'node' \(its 2 groups\)$/,
    );
  });

  it('E05: flattens channels last, with the rows of the dense layer moved and no permutation', async () => {
    for (const order of ['hwc', 'chw'] as const) {
      const graph: Graph = {
        name: 'flat',
        inputShape: [5, 4, 3],
        nodes: [
          { kind: 'flatten', name: 'flat', inputs: ['input'], order },
          { kind: 'dropout', name: 'drop', inputs: ['flat'], rate: 0.5 },
          { kind: 'dense', name: 'logits', inputs: ['drop'], units: 2, useBias: false },
        ],
        outputs: { logits: 'logits', features: 'flat' },
      };
      const model = randomModel(graph);
      const files = writeTfjs(model);
      const json = new TextDecoder().decode(files.get('model.json'));
      expect(json).not.toContain('Permute');
      const input = randomInput(graph);
      const expected = await runModel(model, input.data, input.shape);
      expect(largestDifference((await runTfjs(files, input)).data, expected)).toBeLessThan(1e-5);
      expect((await readTfjs(files)).model).toEqual(model);
    }
  });

  it('E04 and E08: takes pixels and gives probabilities where it is asked to, and says classes and preprocessing', async () => {
    const graph: Graph = {
      ...graphOf([node({ kind: 'activation', function: 'relu' })]),
      preprocessing: { resize: 'bilinear', mean: [0.5, 0.4, 0.3, 0.2], standardDeviation: [0.25, 0.5, 1, 2] },
      classNames: ['ant', 'bee', 'cat'],
    };
    const model = randomModel(graph);
    const options = { includesPreprocessing: true, includesSoftmax: true };
    const pixels = { shape: [1, 5, 6, 4], data: Float32Array.from({ length: 120 }, (_, index) => index * 2) };
    const logits = await runModel(
      model,
      pixels.data.map((value) => value / 255),
      pixels.shape,
    );
    const { data } = await runTfjs(writeTfjs(model, options), pixels);
    expect(largestDifference(data, softmaxRows(logits, 3))).toBeLessThan(1e-5);
    for (const { model: read, notes } of [
      await readTfjs(writeTfjs(model, options)),
      await readKeras(writeKeras(model, options), 'sketch.keras'),
    ]) {
      expect(read.graph.classNames).toEqual(['ant', 'bee', 'cat']);
      expect(read.graph.preprocessing!.mean).toEqual(
        graph.preprocessing!.mean.map((value) => expect.closeTo(value, 5)),
      );
      expect(notes).toContainEqual(expect.stringMatching(/^The logits are what Softmax/));
    }
  });

  it('lists layers in the order in which Keras 3.15.1 lists them, by which it knows their weights', () => {
    const small = { ...convolution, filters: 4, kernelSize: [1, 1], padding: none };
    const model = randomModel(
      graphOf([
        node({ ...small, name: 'short' }),
        node({ ...small, name: 'long1' }),
        node({ kind: 'activation', function: 'relu', name: 'long2', inputs: ['long1'] }),
        node({ ...small, name: 'long3', inputs: ['long2'] }),
        node({ kind: 'add', name: 'sum', inputs: ['long3', 'short'] }),
      ]),
    );
    const config = entriesOf(writeKeras(model)).get('config.json')!;
    const { layers } = (JSON.parse(new TextDecoder().decode(config)) as { config: { layers: { name: string }[] } })
      .config;
    const rest = ['long1', 'long2', 'long3', 'short', 'sum', 'deep_flat', 'deep_logits'];
    expect(layers.map(({ name }) => name)).toEqual(['input', 'first', ...rest]);
  });

  it('lets the layers decide where they are no longer those that the graph was written as', async () => {
    const model = randomModel(graphOf([node({ kind: 'activation', function: 'relu' })]));
    const files = writeTfjs(model);
    const json = JSON.parse(new TextDecoder().decode(files.get('model.json'))) as {
      modelTopology: { config: { layers: { class_name: string; config: Record<string, unknown> }[] } };
    };
    const relu = json.modelTopology.config.layers.find(({ class_name }) => class_name === 'ReLU')!;
    relu.config['max_value'] = 0.5;
    const changed = new Map([...files, ['model.json', new TextEncoder().encode(JSON.stringify(json))] as const]);
    const { model: read } = await readTfjs(changed);
    expect(read.graph.nodes[1]).toMatchObject({ kind: 'clip', minimum: 0, maximum: 0.5 });
  });
});
