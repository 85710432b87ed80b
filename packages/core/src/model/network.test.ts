import { createCpuBackend } from '@dafl/backend-cpu';
import { expectClose } from '@dafl/conformance';
import { afterEach, describe, expect, it } from 'vitest';
import { type Argument, drawArgument } from '../_testing/compare-gradients.ts';
import { activationNode, convNode, denseNode, maxPoolNode, normNode } from '../_testing/nodes.ts';
import { watchBackend } from '../_testing/watch-backend.ts';
import { add, multiply } from '../autodiff/operations/element-wise.ts';
import { sum } from '../autodiff/operations/reduction.ts';
import { Tape, type Value } from '../autodiff/tape.ts';
import type { TensorBackend } from '../backend.ts';
import { DaflError } from '../errors.ts';
import { createRandomStream } from '../random.ts';
import { initializeWeights } from './initialize-weights.ts';
import type { ActivationFunction } from './nodes/activation.ts';
import type { Graph, ModelNode } from './model.ts';
import { createNetwork, type ForwardOptions, type Network } from './network.ts';

const backend = createCpuBackend({ precision: 'float64' });
afterEach(() => expect(backend.memory().tensors).toBe(0));

function networkOf(graph: Graph, on: TensorBackend = backend): Network {
  return createNetwork(on, initializeWeights(graph, createRandomStream(3, 'weights')));
}

function graphOf(nodes: readonly ModelNode[], inputShape: readonly number[], output = nodes.at(-1)!.name): Graph {
  return { name: 'net', inputShape, nodes, outputs: { out: output } };
}

async function run(network: Network, input: Argument, options: ForwardOptions): Promise<number[]> {
  const tape = new Tape(network.backend);
  try {
    const value = tape.own(network.backend.tensor(input.data, input.shape));
    const [output] = Object.values(network.forward(tape, value, options));
    return Array.from(await network.backend.read(output.tensor));
  } finally {
    tape.dispose();
  }
}

it('knows how large the first values of its kernels are', () => {
  const nodes = [convNode('conv', 'input', 1, { kernelSize: [1, 2] }), normNode('norm', 'conv')];
  const graph = graphOf(nodes, [2, 3, 1]);
  const model = initializeWeights(graph, createRandomStream(3, 'weights'));
  const weights = new Map(model.weights).set('conv.kernel', { shape: [1, 2, 1, 1], data: new Float32Array([3, 4]) });
  const network = createNetwork(backend, { graph, weights });
  const scales = Object.fromEntries(network.trainableVariables.map(({ name, firstScale }) => [name, firstScale]));
  expect(scales).toEqual({
    'conv.kernel': Math.sqrt((9 + 16) / 2),
    'conv.bias': undefined,
    'norm.scale': undefined,
    'norm.offset': undefined,
  });
  network.dispose();
});

/** Compares the gradients of the input and of every weight that is trained with central differences. */
async function expectGradients(graph: Graph, options: Omit<ForwardOptions, 'random'>, batch = 3): Promise<void> {
  const network = networkOf(graph);
  // Away from the start, where scales are 1 and offsets 0, and where mistakes may hide.
  for (const [index, variable] of [...network.variables.values()].entries()) {
    const { data } = drawArgument(variable.shape, { seed: index + 20, low: 0, high: 0.3 });
    const start = await backend.read(variable.tensor);
    variable.assign(
      backend.tensor(
        data.map((value, element) => value + start[element]),
        variable.shape,
      ),
    );
  }
  let input = drawArgument([batch, ...graph.inputShape], { seed: 8 });

  /** Weighs all outputs by fixed random numbers. */
  const runWeighted = (tape: Tape, value: Value): Value => {
    const outputs = network.forward(tape, value, { ...options, random: createRandomStream(1, 'mask') });
    const terms = Object.values(outputs).map((output, index) => {
      const { data, shape } = drawArgument(output.shape, { seed: 90 + index });
      return sum(tape, multiply(tape, output, tape.own(backend.tensor(data, shape))));
    });
    return terms.reduce((total, term) => add(tape, total, term));
  };
  const evaluate = async (): Promise<number> => {
    const tape = new Tape(backend);
    const total = runWeighted(tape, tape.own(backend.tensor(input.data, input.shape)));
    const [value] = await backend.read(total.tensor);
    tape.dispose();
    return value;
  };

  const tape = new Tape(backend);
  const inputTensor = backend.tensor(input.data, input.shape);
  const inputLeaf = tape.leaf(inputTensor);
  const total = runWeighted(tape, inputLeaf);
  const leaves = network.trainableVariables.map((variable) => tape.leaf(variable.tensor));
  const gradients = tape.gradients(total, [inputLeaf, ...leaves]);
  tape.dispose();
  backend.dispose(inputTensor);

  const start = input;
  const weights = await Promise.all(
    network.trainableVariables.map(async ({ tensor }) => Float64Array.from(await backend.read(tensor))),
  );
  const setters = [
    (data: Float64Array) => (input = { ...start, data }),
    ...network.trainableVariables.map(
      (variable) => (data: Float64Array) => variable.assign(backend.tensor(data, variable.shape)),
    ),
  ];
  for (const [index, origin] of [start.data, ...weights].entries()) {
    const numeric = new Float64Array(origin.length);
    for (let element = 0; element < origin.length; element++) {
      const at = async (distance: number): Promise<number> => {
        const point = Float64Array.from(origin);
        point[element] += distance;
        setters[index](point);
        return evaluate();
      };
      numeric[element] = ((await at(1e-5)) - (await at(-1e-5))) / 2e-5;
    }
    setters[index](origin);
    expectClose(await backend.read(gradients[index]), numeric, { absolute: 1e-8, relative: 1e-6 });
    backend.dispose(gradients[index]);
  }
  network.dispose();
}

const noPadding = { top: 0, bottom: 0, left: 0, right: 0 };

/** Every kind of node, each where its gradient flows on to the outputs. */
const everyKind: Graph = {
  name: 'every-kind',
  inputShape: [4, 4, 2],
  nodes: [
    convNode('conv', 'input', 4, { groups: 2 }),
    normNode('norm', 'conv'),
    activationNode('leaky', 'norm', 'leakyRelu', 0.2),
    maxPoolNode('largest', 'leaky'),
    { ...maxPoolNode('average', 'leaky'), kind: 'averagePool2d', countsPadding: true },
    { kind: 'add', name: 'sum', inputs: ['largest', 'average', 'largest'] },
    { kind: 'affine', name: 'shifted', inputs: ['sum'], factor: [1, -2, 0.5, 3], summand: [0.1, 0.2, 0.3, 0.4] },
    { kind: 'affine', name: 'scaled', inputs: ['shifted'], factor: [1.5], summand: [-0.5] },
    convNode('depthwise', 'scaled', 4, { groups: 4, useBias: false }),
    { kind: 'globalAveragePool2d', name: 'squeeze', inputs: ['depthwise'] },
    denseNode('excite', 'squeeze', 4),
    activationNode('gate', 'excite', 'sigmoid'),
    { kind: 'multiply', name: 'gated', inputs: ['depthwise', 'gate'] },
    { kind: 'multiply', name: 'gatedTwice', inputs: ['gate', 'gated', 'largest'] },
    { kind: 'add', name: 'alone', inputs: ['gatedTwice'] },
    { kind: 'concat', name: 'joined', inputs: ['alone', 'average'] },
    { kind: 'upsampleNearest2d', name: 'larger', inputs: ['joined'], factors: [2, 1] },
    { kind: 'pad2d', name: 'padded', inputs: ['larger'], padding: { top: 1, bottom: 0, left: 0, right: 1 } },
    convNode('narrow', 'padded', 2, { strides: [2, 2], padding: noPadding }),
    { kind: 'dropout', name: 'dropped', inputs: ['narrow'], rate: 0.4 },
    { kind: 'flatten', name: 'chw', inputs: ['dropped'], order: 'chw' },
    { kind: 'flatten', name: 'hwc', inputs: ['joined'], order: 'hwc' },
    { kind: 'reshape', name: 'map', inputs: ['hwc'], shape: [4, 2, 4] },
    normNode('plainNorm', 'map', { affine: false, epsilon: 0.5 }),
    { kind: 'flatten', name: 'row', inputs: ['plainNorm'], order: 'chw' },
    denseNode('head', 'chw', 3),
    denseNode('otherHead', 'row', 3, { useBias: false }),
    { kind: 'add', name: 'logits', inputs: ['head', 'otherHead'] },
    // Leads nowhere.
    activationNode('unread', 'row', 'tanh'),
  ],
  outputs: { logits: 'logits', features: 'row', early: 'leaky' },
};

describe('gradients of whole networks, by finite differences', () => {
  it('every kind of node, in training', async () => {
    await expectGradients(everyKind, { mode: 'training' });
  });

  it('every kind of node, in inference', async () => {
    await expectGradients(everyKind, { mode: 'inference', trainable: true });
  });

  const functions: ActivationFunction[] = [
    'relu',
    'relu6',
    'leakyRelu',
    'sigmoid',
    'hardSigmoid',
    'hardSwish',
    'silu',
    'tanh',
    'softmax',
  ];
  it.each(functions)('%s', async (name) => {
    // Scaled, so that the bounds of the bounded ones are crossed.
    const graph = graphOf([normNode('norm', 'input'), activationNode('out', 'norm', name)], [5]);
    await expectGradients(graph, { mode: 'training' }, 6);
  });
});

describe('activations', () => {
  const points = [-10, -3.5, -1, -0.25, 0, 0.25, 1, 3.5, 10];
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  const hardSigmoid = (x: number) => Math.min(1, Math.max(0, x / 6 + 0.5));
  it.each<[ActivationFunction, (x: number) => number]>([
    ['relu', (x) => Math.max(0, x)],
    ['relu6', (x) => Math.min(6, Math.max(0, x))],
    ['leakyRelu', (x) => (x > 0 ? x : 0.01 * x)],
    ['sigmoid', sigmoid],
    ['hardSigmoid', hardSigmoid],
    ['hardSwish', (x) => x * hardSigmoid(x)],
    ['silu', (x) => x * sigmoid(x)],
    ['tanh', Math.tanh],
  ])('%s is its definition', async (name, definition) => {
    const network = networkOf(graphOf([activationNode('out', 'input', name)], [points.length]));
    const input = { shape: [1, points.length], data: Float64Array.from(points) };
    const output = await run(network, input, { mode: 'inference' });
    expectClose(output, points.map(definition), { absolute: 1e-15, relative: 1e-14 });
    network.dispose();
  });

  it('gelu is the exact one', async () => {
    const network = networkOf(graphOf([activationNode('out', 'input', 'gelu')], [4]));
    const output = await run(network, { shape: [1, 4], data: Float64Array.of(-1, 0, 1, 3) }, { mode: 'inference' });
    // x Phi(x), with Phi(1) = 0.8413447460685429 and Phi(3) = 0.9986501019683699; the contract lets erf err by 1e-6.
    const expected = [-0.15865525393145707, 0, 0.8413447460685429, 2.99595030590511];
    expectClose(output, expected, { absolute: 2e-6, relative: 0 });
    network.dispose();
  });

  it('gelu has the derivative of its definition', async () => {
    const network = networkOf(graphOf([activationNode('out', 'input', 'gelu')], [3]));
    const tape = new Tape(backend);
    const input = backend.tensor(Float64Array.of(-1, 0, 1), [1, 3]);
    const leaf = tape.leaf(input);
    const { out } = network.forward(tape, leaf, { mode: 'inference' });
    const [gradient] = tape.gradients(sum(tape, out), [leaf]);
    tape.dispose();
    // Phi(x) + x phi(x), with phi(1) = 0.24197072451914337.
    const expected = [1 - 0.8413447460685429 - 0.24197072451914337, 0.5, 0.8413447460685429 + 0.24197072451914337];
    expectClose(await backend.read(gradient), expected, { absolute: 2e-6, relative: 0 });
    for (const tensor of [input, gradient]) backend.dispose(tensor);
    network.dispose();
  });
});

describe('batch normalisation', () => {
  it('moves its running statistics towards the unbiased ones of the batch, and uses them in inference', async () => {
    const network = networkOf(graphOf([normNode('out', 'input', { momentum: 0.25, epsilon: 1 })], [1]));
    const batch = { shape: [4, 1], data: Float64Array.of(1, 3, 5, 7) };
    const output = await run(network, batch, { mode: 'training' });
    // Mean 4, biased variance 5.
    const normalised = [-3, -1, 1, 3].map((value) => value / Math.sqrt(6));
    expectClose(output, normalised, { absolute: 1e-15, relative: 1e-14 });
    const read = async (name: string) => (await backend.read(network.variables.get(`out.${name}`)!.tensor))[0];
    expect(await read('runningMean')).toBeCloseTo(0.25 * 4, 12);
    expect(await read('runningVariance')).toBeCloseTo(0.75 + 0.25 * (20 / 3), 12);

    const [inferred] = await run(network, { shape: [1, 1], data: Float64Array.of(2) }, { mode: 'inference' });
    expect(inferred).toBeCloseTo((2 - 1) / Math.sqrt(0.75 + 5 / 3 + 1), 12);
    // Inference leaves them alone.
    expect(await read('runningMean')).toBeCloseTo(1, 12);
    network.dispose();
  });

  it('leaves them at momentum 0', async () => {
    const network = networkOf(graphOf([normNode('out', 'input', { momentum: 0 })], [1]));
    await run(network, { shape: [2, 1], data: Float64Array.of(5, 9) }, { mode: 'training' });
    const { weights } = await network.toModel();
    expect([...weights.get('out.runningMean')!.data, ...weights.get('out.runningVariance')!.data]).toEqual([0, 1]);
    network.dispose();
  });
});

describe('flatten', () => {
  const input: Argument = { shape: [1, 2, 2, 3], data: Float64Array.from({ length: 12 }, (_, index) => index) };

  it('reads rows as they lie, or channel by channel', async () => {
    const flatten = (order: 'hwc' | 'chw') =>
      networkOf(graphOf([{ kind: 'flatten', name: 'out', inputs: ['input'], order }], [2, 2, 3]));
    const [asLaid, byChannel] = [flatten('hwc'), flatten('chw')];
    expect(await run(asLaid, input, { mode: 'inference' })).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(await run(byChannel, input, { mode: 'inference' })).toEqual([0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]);
  });

  it('reads a single position and a row alike in both orders', async () => {
    for (const shape of [[1, 1, 12], [12]]) {
      const network = networkOf(graphOf([{ kind: 'flatten', name: 'out', inputs: ['input'], order: 'chw' }], shape));
      const values = await run(network, { ...input, shape: [1, ...shape] }, { mode: 'inference' });
      expect(values).toEqual([...input.data]);
    }
  });
});

describe('dropout', () => {
  const network = networkOf(graphOf([{ kind: 'dropout', name: 'out', inputs: ['input'], rate: 0.25 }], [4000]));
  const ones = { shape: [1, 4000], data: new Float64Array(4000).fill(1) };

  it('zeroes its share in training and scales the rest', async () => {
    const output = await run(network, ones, { mode: 'training', random: createRandomStream(1, 'dropout') });
    const zeros = output.filter((value) => value === 0).length;
    // 1,000, with a standard deviation of 27.
    expect(Math.abs(zeros - 1000)).toBeLessThan(130);
    const rest = output.filter((value) => value !== 0);
    expectClose(rest, new Array(rest.length).fill(4 / 3), { absolute: 0, relative: 1e-7 });
  });

  it('draws another mask each time, the same from the same stream', async () => {
    const random = createRandomStream(1, 'dropout');
    const first = await run(network, ones, { mode: 'training', random });
    expect(await run(network, ones, { mode: 'training', random })).not.toEqual(first);
    expect(await run(network, ones, { mode: 'training', random: createRandomStream(1, 'dropout') })).toEqual(first);
  });

  it('does nothing in inference', async () => {
    expect(await run(network, ones, { mode: 'inference' })).toEqual([...ones.data]);
  });

  it('asks for its random numbers', async () => {
    await expect(run(network, ones, { mode: 'training' })).rejects.toThrow(
      "Cannot run dropout in training mode as 'random' must be given: current value is none",
    );
  });
});

describe('createNetwork', () => {
  it('lists every weight, and apart those that are trained', () => {
    const network = networkOf(graphOf([normNode('norm', 'input'), denseNode('head', 'norm', 2)], [3]));
    expect([...network.variables.keys()]).toEqual([
      'norm.scale',
      'norm.offset',
      'norm.runningMean',
      'norm.runningVariance',
      'head.kernel',
      'head.bias',
    ]);
    expect(network.trainableVariables.map(({ name }) => name)).toEqual([
      'norm.scale',
      'norm.offset',
      'head.kernel',
      'head.bias',
    ]);
    network.dispose();
  });

  it('gives back the weights that it was made of, and loads others', async () => {
    const graph = graphOf([normNode('norm', 'input'), denseNode('head', 'norm', 2)], [3]);
    const [first, second] = [1, 2].map((seed) => initializeWeights(graph, createRandomStream(seed, 'weights')));
    const network = createNetwork(backend, first);
    expect(await network.toModel()).toEqual(first);
    network.load(second.weights);
    expect(await network.toModel()).toEqual(second);
    network.dispose();
  });

  it('refuses weights that do not fit, and keeps its own', async () => {
    const graph = graphOf([denseNode('head', 'input', 2)], [3]);
    const model = initializeWeights(graph, createRandomStream(1, 'weights'));
    const network = createNetwork(backend, model);
    const load = () => network.load(new Map([...model.weights].slice(0, 1)));
    expect(load).toThrow(DaflError);
    expect(load).toThrow("Cannot use model 'net' as weight 'head.bias' must have shape [2]: current value is missing");
    expect(await network.toModel()).toEqual(model);
    network.dispose();
  });

  it('refuses an input of another shape', () => {
    const network = networkOf(graphOf([denseNode('head', 'input', 2)], [3]));
    const tape = new Tape(backend);
    const forward = () => network.forward(tape, tape.own(backend.fill([5, 4], 0)), { mode: 'inference' });
    expect(forward).toThrow(DaflError);
    expect(forward).toThrow("Cannot run model 'net' as 'input' must have shape [batch, 3]: current shape is [5, 4]");
    tape.dispose();
    network.dispose();
  });

  it('freezes its weights where it is told to', async () => {
    const network = networkOf(graphOf([denseNode('head', 'input', 2)], [3]));
    for (const [options, trained] of [
      [{ mode: 'training' }, true],
      [{ mode: 'inference' }, false],
      [{ mode: 'training', trainable: false }, false],
      [{ mode: 'inference', trainable: true }, true],
    ] as const) {
      const tape = new Tape(backend);
      const { out } = network.forward(tape, tape.own(backend.fill([1, 3], 1)), options);
      expect(out.requiresGradient).toBe(trained);
      tape.dispose();
    }
    network.dispose();
  });
});

describe('memory of a forward pass', () => {
  const layers: Record<string, (name: string, input: string) => ModelNode[]> = {
    convolution: (name, input) => [convNode(name, input, 2)],
    normalisation: (name, input) => [normNode(name, input)],
    'hard swish': (name, input) => [activationNode(name, input, 'hardSwish')],
    gelu: (name, input) => [activationNode(name, input, 'gelu')],
    'a residual block': (name, input) => [
      convNode(`${name}.conv`, input, 2),
      { kind: 'add', name, inputs: [`${name}.conv`, input] },
    ],
    'squeeze and excitation': (name, input) => [
      { kind: 'globalAveragePool2d', name: `${name}.squeeze`, inputs: [input] },
      denseNode(`${name}.excite`, `${name}.squeeze`, 2),
      { kind: 'multiply', name, inputs: [input, `${name}.excite`] },
    ],
    'an addition of one': (name, input) => [{ kind: 'add', name, inputs: [input] }],
    'constants for each channel': (name, input) => [
      { kind: 'affine', name, inputs: [input], factor: [1, 2], summand: [0] },
    ],
    dropout: (name, input) => [{ kind: 'dropout', name, inputs: [input], rate: 0.5 }],
    flattening: (name, input) => [
      { kind: 'flatten', name: `${name}.flat`, inputs: [input], order: 'chw' },
      { kind: 'reshape', name, inputs: [`${name}.flat`], shape: [2, 2, 2] },
    ],
    'a dead end': (name, input) => [activationNode(`${name}.dead`, input), convNode(name, input, 2)],
  };

  it.each(Object.entries(layers))('does not grow with the depth: %s', (_, layer) => {
    const peakOf = (depth: number): number => {
      const names = Array.from({ length: depth }, (_name, index) => `layer${index}`);
      const nodes = names.flatMap((name, index) => layer(name, index === 0 ? 'input' : names[index - 1]));
      const watch = watchBackend(backend);
      const { backend: watched } = watch;
      const network = networkOf(graphOf(nodes, [2, 2, 2]), watched);
      const held = backend.memory().tensors;
      watch.takePeak();
      const tape = new Tape(watched);
      const input = tape.own(watched.fill([1, 2, 2, 2], 1));
      network.forward(tape, input, { mode: 'inference' });
      tape.dispose();
      network.dispose();
      return watch.takePeak() - held;
    };
    expect(peakOf(12)).toBe(peakOf(4));
  });

  it('leaves nothing behind but the outputs', () => {
    const network = networkOf(everyKind);
    const held = backend.memory().tensors;
    const tape = new Tape(backend);
    const input = backend.fill([1, 4, 4, 2], 1);
    network.forward(tape, tape.constant(input), { mode: 'inference' });
    // The input and the three outputs.
    expect(backend.memory().tensors - held).toBe(4);
    tape.dispose();
    backend.dispose(input);
    network.dispose();
  });
});
