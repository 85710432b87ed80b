import {
  createRandomStream,
  DaflError,
  generatorGraph,
  type Graph,
  initializeWeights,
  type Model,
  type ModelNode,
} from '@dafl/core';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lenet5 } from '../architectures/lenet5.ts';
import { crc32 } from './_crc32.ts';
import { encodeFloat32 } from './float32.ts';
import { readModel, writeModel } from './native-model.ts';
import { parseSafetensors } from './parse-safetensors.ts';
import type { SafetensorsTensor } from './safetensors.ts';
import { serializeSafetensors } from './serialize-safetensors.ts';

const noPadding = { top: 0, bottom: 0, left: 0, right: 0 };
const createModel = (graph: Graph, seed = 0): Model => initializeWeights(graph, createRandomStream(seed, 'weights'));

/** A network of a few dozen weights, so that every bit of its file can be flipped. */
const tiny: Graph = {
  name: 'tiny',
  inputShape: [2, 2, 1],
  nodes: [
    { name: 'norm', kind: 'batchNorm', inputs: ['input'], epsilon: 1e-5, momentum: 0.1, affine: false },
    { name: 'row', kind: 'flatten', inputs: ['norm'], order: 'hwc' },
    { name: 'logits', kind: 'dense', inputs: ['row'], units: 2, useBias: true },
  ],
  outputs: { logits: 'logits', features: 'row' },
  preprocessing: { resize: 'bilinear', mean: [0.5], standardDeviation: [0.25] },
};

/** Layers that may follow one another on `[height, width, channels]`, each under the name `n<index>`. */
const layer = fc.oneof(
  fc.record({
    kind: fc.constant('conv2d' as const),
    filters: fc.integer({ min: 1, max: 4 }).map((pairs) => pairs * 2),
    kernelSize: fc.constantFrom([1, 1] as const, [3, 2] as const),
    strides: fc.constantFrom([1, 1] as const, [1, 2] as const),
    padding: fc.constant({ top: 1, bottom: 1, left: 1, right: 1 }),
    dilations: fc.constant([1, 1] as const),
    groups: fc.constantFrom(1, 2),
    useBias: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('batchNorm' as const),
    epsilon: fc.double({ min: 1e-300, max: 1, noNaN: true }),
    momentum: fc.double({ min: 0, max: 1, noNaN: true }),
    affine: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('activation' as const), function: fc.constantFrom('relu' as const, 'gelu' as const) }),
  fc.record({
    kind: fc.constant('activation' as const),
    function: fc.constant('leakyRelu' as const),
    slope: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  fc.record({
    kind: fc.constant('averagePool2d' as const),
    windowSize: fc.constant([2, 2] as const),
    strides: fc.constant([1, 1] as const),
    padding: fc.constant({ top: 1, bottom: 0, left: 0, right: 1 }),
    countsPadding: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('affine' as const),
    factor: fc.tuple(fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)),
    summand: fc.constant([0.1]),
  }),
  fc.record({ kind: fc.constantFrom('add' as const, 'multiply' as const, 'concat' as const) }),
  fc.record({ kind: fc.constant('pad2d' as const), padding: fc.constant({ top: 2, bottom: 0, left: 1, right: 0 }) }),
  fc.record({ kind: fc.constant('upsampleNearest2d' as const), factors: fc.constant([1, 2] as const) }),
  fc.record({ kind: fc.constant('dropout' as const), rate: fc.double({ min: 0, max: 0.99, noNaN: true }) }),
);

const arbitraryModel = fc
  .record({
    name: fc.constantFrom('net', 'ResNet-18 (é)', '模型'),
    layers: fc.array(layer, { maxLength: 6 }),
    seed: fc.nat(),
    hasPreprocessing: fc.boolean(),
  })
  .map(({ name, layers, seed, hasPreprocessing }): Model => {
    const nodes = layers.map((fields, index): ModelNode => {
      const last = index === 0 ? 'input' : `n${index - 1}`;
      const isJoin = fields.kind === 'add' || fields.kind === 'multiply' || fields.kind === 'concat';
      return { name: `n${index}`, inputs: isJoin ? [last, last] : [last], ...fields };
    });
    nodes.push({ name: 'pool', kind: 'globalAveragePool2d', inputs: [nodes.at(-1)?.name ?? 'input'] });
    nodes.push({ name: 'head/logits', kind: 'dense', inputs: ['pool'], units: 3, useBias: seed % 2 === 0 });
    const preprocessing = { resize: 'bilinear', mean: [0.1, 1 / 3], standardDeviation: [1, 0.7] } as const;
    return createModel(
      {
        name,
        inputShape: [4, 3, 2],
        nodes,
        outputs: { logits: 'head/logits', features: 'pool' },
        ...(hasPreprocessing ? { preprocessing } : {}),
      },
      seed,
    );
  });

/** A file with the given metadata and tensors and, unless it is given, the right checksum. */
function fileOf(
  document: unknown,
  tensors: ReadonlyMap<string, SafetensorsTensor> = parseSafetensors(writeModel(createModel(tiny))).tensors,
  metadata: readonly (readonly [string, string])[] = [],
): Uint8Array {
  const text = typeof document === 'string' ? document : JSON.stringify(document);
  let checksum = crc32(new TextEncoder().encode(text));
  for (const name of [...tensors.keys()].sort()) checksum = crc32(tensors.get(name)!.bytes, checksum);
  return serializeSafetensors({
    metadata: new Map([['dafl', text], ['dafl.crc32', checksum.toString(16).padStart(8, '0')], ...metadata]),
    tensors,
  });
}

const float32 = (shape: readonly number[], ...values: number[]): SafetensorsTensor => ({
  dataType: 'F32',
  shape,
  bytes: encodeFloat32(Float32Array.from(values)),
});

describe('readModel', () => {
  test('reads what writeModel wrote', () => {
    for (const graph of [
      lenet5(),
      lenet5({ width: 0.5 }),
      tiny,
      generatorGraph({
        latentSize: 7,
        imageSize: [8, 8],
        channels: 1,
        widths: [4, 3, 2],
        batchNormEpsilon: 0.8,
        output: { kind: 'pixels', contrast: 2, brightness: -1 },
        preprocessing: lenet5().preprocessing,
      }),
    ]) {
      const model = createModel(graph);
      const read = readModel(writeModel(model));
      expect(read).toEqual(model);
      expect([...read.weights.keys()]).toEqual([...model.weights.keys()]);
    }
  });

  test('round trips are exact, byte for byte', () => {
    fc.assert(
      fc.property(arbitraryModel, (model) => {
        const bytes = writeModel(model);
        const read = readModel(bytes);
        expect(read).toEqual(model);
        expect(writeModel(read)).toEqual(bytes);
      }),
      { numRuns: 200 },
    );
  });

  test('gives weights of their own', () => {
    const bytes = writeModel(createModel(tiny));
    const weight = readModel(bytes).weights.get('logits.kernel')!;
    const before = [...weight.data];
    bytes.fill(0);
    expect([...weight.data]).toEqual(before);
  });

  test('widens half-precision weights and leaves other metadata alone', () => {
    const tensors = new Map(parseSafetensors(writeModel(createModel(tiny))).tensors);
    tensors.set('logits.bias', { dataType: 'F16', shape: [2], bytes: Uint8Array.of(0, 0x3c, 0, 0xc0) });
    tensors.set('norm.runningMean', { dataType: 'BF16', shape: [1], bytes: Uint8Array.of(0x49, 0x40) });
    const model = readModel(fileOf({ version: 1, graph: tiny }, tensors, [['author', 'x']]));
    expect([...model.weights.get('logits.bias')!.data]).toEqual([1, -2]);
    expect([...model.weights.get('norm.runningMean')!.data]).toEqual([3.140625]);
  });

  test('reads the checksum that zlib would compute', () => {
    const { metadata } = parseSafetensors(writeModel(createModel(tiny)));
    expect(metadata.get('dafl.crc32')).toMatch(/^[0-9a-f]{8}$/);
    expect(readModel(fileOf(metadata.get('dafl')!))).toEqual(createModel(tiny));
  });
});

describe('a damaged file', () => {
  const bytes = writeModel(createModel(tiny));
  const oneSentence = /^Cannot read 'x\.safetensors' as [^\n]{1,400}: current (value|format) [^\n]{1,200}$/;
  const failureOf = (damaged: Uint8Array): unknown => {
    try {
      readModel(damaged, 'x.safetensors');
    } catch (error) {
      return error;
    }
    return undefined;
  };

  test('is at most 2 KiB', () => {
    expect(bytes.length).toBeLessThanOrEqual(2048);
  });

  test('is told in one sentence wherever it is cut off', () => {
    for (let length = 0; length < bytes.length; length++) {
      const error = failureOf(bytes.subarray(0, length));
      expect(error).toBeInstanceOf(DaflError);
      expect(error).toMatchObject({ code: 'MODEL', message: expect.stringMatching(oneSentence) as string });
    }
  });

  test('is told in one sentence whichever bit is flipped', () => {
    const damaged = bytes.slice();
    const survivors: string[] = [];
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      damaged[bit >> 3] ^= 1 << (bit & 7);
      const error = failureOf(damaged);
      const isTold = error instanceof DaflError && error.code === 'MODEL' && oneSentence.test(error.message);
      if (!isTold) survivors.push(`bit ${bit}: ${String(error)}`);
      damaged[bit >> 3] ^= 1 << (bit & 7);
    }
    expect(survivors).toEqual([]);
    expect(damaged).toEqual(bytes);
  });

  test('is told, or is sound, whatever bytes are put anywhere', () => {
    fc.assert(
      fc.property(fc.nat(bytes.length), fc.nat(40), fc.uint8Array({ maxLength: 40 }), (start, removed, added) => {
        const damaged = Uint8Array.of(...bytes.subarray(0, start), ...added, ...bytes.subarray(start + removed));
        const error = failureOf(damaged);
        expect(error === undefined || error instanceof DaflError).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('readModel rejects', () => {
  const others =
    "its format must be one of [dafl's .safetensors, ONNX, Keras, TensorFlow.js, PyTorch's weights]: current format is";
  const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13);
  const text = (content: string): Uint8Array => new TextEncoder().encode(content);
  test.each<[string, Uint8Array, string]>([
    ['teacher.onnx', Uint8Array.of(8, 7, 0x12, 0), `a model as ${others} ONNX`],
    ['teacher.h5', Uint8Array.of(0x89, 0x48, 0x44, 0x46, 13, 10, 26, 10), `a model as ${others} HDF5 (Keras .h5)`],
    ['teacher.keras', text('PK\u0003\u0004'), `a model as ${others} Keras`],
    ['teacher.pt', text('PK\u0003\u0004'), `a model as ${others} PyTorch`],
    ['photo.png', png, `a model as ${others} a PNG image`],
    ['model.json', text('{"modelTopology":{}}'), `a model as ${others} TensorFlow.js (model.json)`],
    ['package.json', text('{\n  "name": {}\n}'), `a model as ${others} JSON`],
    ['eight.txt', text('aaaaaaaa{}'), `a model as ${others} text`],
    ['README.md', text('# readme'), `a model as ${others} text`],
    ['empty.onnx', new Uint8Array(0), `a model as ${others} an empty file`],
    [
      'noise',
      new Uint8Array(100).fill(0xfe),
      'safetensors as its header must have at most 8388608 bytes: current value is 18374403900871474942',
    ],
    ['\u001b[2J', new Uint8Array(0), `a model as ${others} an empty file`],
  ])('%j, which is another format or none', (name, bytes, message) => {
    const shown = name.replace('\u001b', '\\u001b');
    expect(() => readModel(bytes, name)).toThrow(
      expect.objectContaining({ code: 'MODEL', message: `Cannot read '${shown}' as ${message}` }),
    );
  });

  const document = { version: 1, graph: tiny };
  const written = parseSafetensors(writeModel(createModel(tiny)));
  const without = (name: string) => new Map([...written.tensors].filter(([key]) => key !== name));
  const withTensor = (name: string, tensor: SafetensorsTensor) => new Map([...written.tensors, [name, tensor]]);
  const withNodes = (...nodes: readonly ModelNode[]): object => ({
    version: 1,
    graph: { ...tiny, nodes, outputs: { images: nodes.at(-1)!.name }, preprocessing: undefined },
  });
  const upsample = (index: number): ModelNode => ({
    name: `n${index}`,
    kind: 'upsampleNearest2d',
    inputs: [index === 0 ? 'input' : `n${index - 1}`],
    factors: [2, 2],
  });

  test.each<[string, Uint8Array, string]>([
    [
      'weights alone',
      serializeSafetensors({ metadata: new Map([['format', 'pt']]), tensors: written.tensors }),
      "its metadata must hold the network's graph under 'dafl', beside the weights: current value is ['format']",
    ],
    [
      'no checksum',
      serializeSafetensors({ metadata: new Map([['dafl', JSON.stringify(document)]]), tensors: written.tensors }),
      "its metadata must hold a checksum under 'dafl.crc32': current value is ['dafl']",
    ],
    [
      'another checksum',
      fileOf(document, written.tensors, [['dafl.crc32', '00000000']]),
      `it must match its checksum '00000000' (it is damaged or was edited): current value is '${written.metadata.get('dafl.crc32')}'`,
    ],
    ['a graph that is no JSON', fileOf('graph'), "its 'dafl' metadata must be JSON: current value is 'g' at 0"],
    ['a graph that is no object', fileOf('[1]'), "its 'dafl' metadata must be an object: current value is [1]"],
    [
      'a key twice',
      fileOf('{"version":1,"graph":{"name":"a","name":"b"}}'),
      "its 'dafl' metadata must have each key once: current value is 'name' twice",
    ],
    [
      'a newer version',
      fileOf({ ...document, version: 2 }),
      'its format version must be 1, the only one that this version of dafl reads: current value is 2',
    ],
    [
      'no version',
      fileOf({ graph: tiny }),
      'its format version must be 1, the only one that this version of dafl reads: current value is undefined',
    ],
    [
      'an unknown field',
      fileOf({ ...document, hook: 'x' }),
      "its 'dafl' metadata must have the fields [version, graph]: current value is ['version', 'graph', 'hook']",
    ],
    [
      'no graph',
      fileOf({ version: 1 }),
      "its 'dafl' metadata must have the fields [version, graph]: current value is ['version']",
    ],
    [
      'a node that reads what is not there',
      fileOf(withNodes({ name: 'a', kind: 'add', inputs: ['b'] })),
      "node 'a' (add) must read nodes that stand before it: current value is 'b'",
    ],
    [
      'nodes that do not fit',
      fileOf(withNodes({ name: 'a', kind: 'reshape', inputs: ['input'], shape: [5] })),
      "node 'a' (reshape) must hold the 4 elements of [2, 2, 1]: current value is [5]",
    ],
    [
      'a node named as the input',
      fileOf(withNodes({ name: 'input', kind: 'add', inputs: ['input'] })),
      "node 'input' (add) must have a name of its own: current value is 'input'",
    ],
    [
      'a missing weight',
      fileOf(document, without('logits.bias')),
      "weight 'logits.bias' must have shape [2]: current value is missing",
    ],
    [
      'a weight of another shape',
      fileOf(document, withTensor('logits.bias', float32([1, 2], 0, 0))),
      "weight 'logits.bias' must have shape [2]: current value is [1, 2] with 2 values",
    ],
    [
      'a weight that is not finite',
      fileOf(document, withTensor('logits.bias', float32([2], 0, NaN))),
      "weight 'logits.bias' must be finite: current value at 1 is NaN",
    ],
    [
      'a weight of no node',
      fileOf(document, withTensor('logits.extra', float32([1], 0))),
      "each weight must belong to a node: current value is 'logits.extra'",
    ],
    [
      'a weight of a type that would be rounded',
      fileOf(document, withTensor('logits.bias', { dataType: 'F64', shape: [2], bytes: new Uint8Array(16) })),
      "weight 'logits.bias' must have a type of [F32, F16, BF16]: current value is F64",
    ],
    [
      'images that no machine holds',
      fileOf({ version: 1, graph: { ...tiny, inputShape: [2 ** 31, 2 ** 31, 1] } }),
      'its results for one example must hold at most 1073741824 values: current value is 13835058055282164000',
    ],
    [
      'images that grow with every node',
      fileOf(withNodes(...Array.from({ length: 600 }, (_, index) => upsample(index)))),
      'its results for one example must hold at most 1073741824 values: current value is Infinity',
    ],
    [
      'padding that no machine holds',
      fileOf(
        withNodes({
          name: 'a',
          kind: 'averagePool2d',
          inputs: ['input'],
          windowSize: [2 ** 31, 2 ** 31],
          strides: [1, 1],
          padding: { ...noPadding, top: 2 ** 31 - 1, left: 2 ** 31 - 1 },
          countsPadding: true,
        }),
      ),
      'its results for one example must hold at most 1073741824 values: current value is 4611686022722355000',
    ],
    [
      'a pooling window that takes forever',
      fileOf(
        withNodes({
          name: 'a',
          kind: 'maxPool2d',
          inputs: ['input'],
          windowSize: [1500, 1500],
          strides: [1, 1],
          padding: { top: 1499, bottom: 1499, left: 1499, right: 1499 },
        }),
      ),
      'one example must take at most 1099511627776 operations: current value is 5069252250004',
    ],
  ])('%s', (_, bytes, message) => {
    expect(() => readModel(bytes, 'x.safetensors')).toThrow(
      expect.objectContaining({ code: 'MODEL', message: `Cannot read 'x.safetensors' as a model as ${message}` }),
    );
  });
});

describe('writeModel', () => {
  test('gives the same bytes whatever the order of fields and weights', () => {
    const { graph, weights } = createModel(lenet5());
    const shuffled = {
      graph: Object.fromEntries(Object.entries(graph).reverse()) as unknown as Graph,
      weights: new Map([...weights].reverse()),
    };
    expect(writeModel(shuffled)).toEqual(writeModel({ graph, weights }));
  });

  test('puts the graph and the checksum into the metadata, the weights into tensors', () => {
    const { metadata, tensors } = parseSafetensors(writeModel(createModel(tiny)));
    expect(JSON.parse(metadata.get('dafl')!)).toEqual({ version: 1, graph: tiny });
    expect([...metadata.keys()]).toEqual(['dafl', 'dafl.crc32']);
    expect([...tensors.keys()]).toEqual(['logits.bias', 'logits.kernel', 'norm.runningMean', 'norm.runningVariance']);
  });

  const model = createModel(tiny);
  test.each<[Model, string]>([
    [
      { ...model, weights: new Map() },
      "Cannot use model 'tiny' as weight 'norm.runningMean' must have shape [1]: current value is missing",
    ],
    [
      { ...model, graph: { ...tiny, preprocessing: { resize: 'bilinear', mean: [NaN], standardDeviation: [1] } } },
      "Cannot write model 'tiny' as mean of preprocessing[0] must be a number: current value is NaN",
    ],
    [
      { ...model, graph: { ...tiny, note: 'x' } as Graph },
      "Cannot write model 'tiny' as graph must have only the fields [name, inputShape, nodes, outputs, preprocessing, classNames]: current value is 'note'",
    ],
    [
      { ...model, graph: { ...tiny, name: 'a\nb' } },
      "Cannot write model 'a\\u000ab' as name must be 1 to 128 printable characters: current value is 'a\\u000ab'",
    ],
  ])('rejects what could not be read (%#)', (unsound, message) => {
    expect(() => writeModel(unsound)).toThrow(expect.objectContaining({ code: 'MODEL', message }));
  });
});
