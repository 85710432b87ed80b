import { createCpuBackend } from '@dafl/backend-cpu';
import { afterEach, describe, expect, it } from 'vitest';
import { activationNode, convNode, denseNode, maxPoolNode, normNode } from '../_testing/nodes.ts';
import type { Tensor } from '../backend.ts';
import { predictLogits } from '../predict.ts';
import { createRandomStream } from '../random.ts';
import { createTurn } from '../turn.ts';
import { fitLayers } from './fit-layers.ts';
import { inheritChannels } from './inherit-weights.ts';
import { initializeWeights } from './initialize-weights.ts';
import type { Graph, HostTensor, Model, ModelNode } from './model.ts';
import { createNetwork } from './network.ts';
import { shrink } from './shrink.ts';

const backend = createCpuBackend({ precision: 'float64' });
afterEach(() => expect(backend.memory().tensors).toBe(0));

function graphOf(inputShape: readonly number[], ...nodes: readonly ModelNode[]): Graph {
  return { name: 'net', inputShape, nodes, outputs: { logits: nodes.at(-1)!.name } };
}

function drawImages(shape: readonly number[], seed = 5): Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  return backend.tensor(createRandomStream(seed, 'images').uniform(size, -1, 1), shape);
}

/** Half of the teacher's channels, before and after they are fitted on images; and the teacher's logits, all on other images. */
async function compare(
  teacherModel: Model,
  count = 64,
): Promise<{ teacher: number[]; before: number[]; after: number[] }> {
  const inherited = inheritChannels(teacherModel, shrink(teacherModel.graph, 0.5));
  const teacher = createNetwork(backend, teacherModel);
  const student = createNetwork(backend, inherited.model);
  const { inputShape } = teacherModel.graph;
  const images = drawImages([count, ...inputShape]);
  const others = drawImages([16, ...inputShape], 6);
  const predict = async (network: typeof teacher): Promise<number[]> =>
    Array.from(await predictLogits(network, others));
  try {
    const before = await predict(student);
    await fitLayers({ teacher, student, channels: inherited.channels, images, turn: createTurn() });
    return { teacher: await predict(teacher), before, after: await predict(student) };
  } finally {
    for (const owned of [teacher, student]) owned.dispose();
    for (const tensor of [images, others]) backend.dispose(tensor);
  }
}

/** Root of the mean squared distance. */
function distance(one: readonly number[], other: readonly number[]): number {
  return Math.sqrt(one.reduce((sum, value, index) => sum + (value - other[index]) ** 2, 0) / one.length);
}

/** A drawn model whose channels are pairs of which one is half of the other, so that half of them say all. */
function twinned(graph: Graph, seed: number): Model {
  const { weights } = initializeWeights(graph, createRandomStream(seed, 'weights'));
  const random = createRandomStream(seed, 'statistics');
  const changed = new Map<string, HostTensor>();
  const logits = graph.outputs.logits;
  for (const [name, { shape, data }] of weights) {
    const values = Float32Array.from(data);
    if (name.endsWith('.runningVariance')) values.set(random.uniform(values.length, 0.5, 2));
    else if (!name.endsWith('.kernel')) values.set(random.uniform(values.length, 0.2, 1));
    const width = shape.at(-1)!;
    if (!name.startsWith(`${logits}.`)) {
      for (let index = 0; index < values.length; index++)
        if ((index % width) % 2 === 1 && !name.endsWith('.runningVariance')) values[index] = values[index - 1] / 2;
    }
    changed.set(name, { shape, data: values });
  }
  return { graph, weights: changed };
}

describe('fitLayers', () => {
  const pool = (input: string): ModelNode => ({ kind: 'globalAveragePool2d', name: 'pool', inputs: [input] });

  it.each<[string, Graph]>([
    [
      'dense layers',
      graphOf([6], denseNode('hidden', 'input', 8), activationNode('relu', 'hidden'), denseNode('logits', 'relu', 3)),
    ],
    [
      'convolutions with strides',
      graphOf(
        [8, 8, 1],
        convNode('conv1', 'input', 4),
        activationNode('relu1', 'conv1'),
        convNode('conv2', 'relu1', 8, { strides: [2, 2] }),
        activationNode('relu2', 'conv2'),
        pool('relu2'),
        denseNode('logits', 'pool', 3),
      ),
    ],
    [
      'layers without a bias behind which a batch norm stands, also behind a pooling',
      graphOf(
        [8, 8, 1],
        convNode('conv1', 'input', 4, { useBias: false }),
        maxPoolNode('pool1', 'conv1'),
        normNode('norm1', 'pool1'),
        activationNode('relu1', 'norm1'),
        convNode('conv2', 'relu1', 8, { useBias: false }),
        normNode('norm2', 'conv2'),
        activationNode('relu2', 'norm2'),
        pool('relu2'),
        denseNode('logits', 'pool', 3),
      ),
    ],
    [
      'residual blocks',
      graphOf(
        [6, 6, 2],
        convNode('conv1', 'input', 4),
        activationNode('relu1', 'conv1'),
        convNode('conv2', 'relu1', 4),
        { kind: 'add', name: 'sum', inputs: ['relu1', 'conv2'] },
        activationNode('relu2', 'sum'),
        pool('relu2'),
        denseNode('logits', 'pool', 3),
      ),
    ],
  ])('makes up for channels of which the others know all: %s', async (_, graph) => {
    const { teacher, before, after } = await compare(twinned(graph, 2));
    expect(distance(before, teacher)).toBeGreaterThan(0.05);
    expect(distance(after, teacher)).toBeLessThan(0.06 * distance(before, teacher));
  });

  it('finds the least squares', async () => {
    const teacher: Model = {
      graph: graphOf([3], denseNode('hidden', 'input', 2), denseNode('logits', 'hidden', 1)),
      weights: new Map([
        ['hidden.kernel', { shape: [3, 2], data: Float32Array.of(2, 1, 1, 0, 0, 0) }],
        ['hidden.bias', { shape: [2], data: Float32Array.of(0, 0) }],
        ['logits.kernel', { shape: [2, 1], data: Float32Array.of(3, 1) }],
        ['logits.bias', { shape: [1], data: Float32Array.of(0.5) }],
      ]),
    };
    const { teacher: expected, after } = await compare(teacher, 2_000);
    // The student has 2a + b alone. Of 3(2a + b) + a, with a and b of one variance, it tells 3 + 2 / 5 times that.
    const inputs = createRandomStream(6, 'images').uniform(16 * 3, -1, 1);
    const best = expected.map((_, index) => 3.4 * (2 * inputs[3 * index] + inputs[3 * index + 1]) + 0.5);
    expect(distance(after, best)).toBeLessThan(0.05);
  });

  it('keeps the variance of a channel of which the others know a part', async () => {
    const graph = graphOf(
      [8, 8, 1],
      convNode('conv1', 'input', 8),
      activationNode('relu1', 'conv1'),
      convNode('conv2', 'relu1', 8),
      activationNode('relu2', 'conv2'),
      pool('relu2'),
      denseNode('logits', 'pool', 3),
    );
    const model = initializeWeights(graph, createRandomStream(3, 'weights'));
    const inherited = inheritChannels(model, shrink(graph, 0.5));
    const teacher = createNetwork(backend, model);
    const student = createNetwork(backend, inherited.model);
    const images = drawImages([64, 8, 8, 1]);
    await fitLayers({ teacher, student, channels: inherited.channels, images, turn: createTurn() });
    const measure = async (network: typeof teacher, channels: readonly number[]): Promise<number[][]> => {
      const end = { ...graph, nodes: graph.nodes.slice(0, 3), outputs: { logits: 'conv2' } };
      const weights = (await network.toModel()).weights;
      const part = createNetwork(backend, {
        graph: { ...end, nodes: network.graph.nodes.slice(0, 3) },
        weights: new Map([...weights].filter(([name]) => /^conv[12]/.test(name))),
      });
      const values = await predictLogits(part, images);
      part.dispose();
      const width = network.graph.nodes[2].kind === 'conv2d' ? network.graph.nodes[2].filters : 0;
      return channels.map((channel) => {
        const ofChannel = Array.from(values).filter((_, index) => index % width === channel);
        const mean = ofChannel.reduce((sum, value) => sum + value, 0) / ofChannel.length;
        return [mean, ofChannel.reduce((sum, value) => sum + (value - mean) ** 2, 0) / ofChannel.length];
      });
    };
    const kept = inherited.channels.get('conv2')!;
    const [ofTeacher, ofStudent] = [await measure(teacher, kept), await measure(student, [...kept.keys()])];
    ofStudent.forEach(([mean, variance], channel) => {
      expect(mean).toBeCloseTo(ofTeacher[channel][0], 4);
      expect(variance / ofTeacher[channel][1]).toBeCloseTo(1, 3);
    });
    for (const owned of [teacher, student]) owned.dispose();
    backend.dispose(images);
  });

  it.each([1, 5, 30])('leaves the student as it was and nothing behind where it is aborted: turn %i', async (turns) => {
    const graph = graphOf(
      [6],
      denseNode('hidden', 'input', 8),
      denseNode('second', 'hidden', 8),
      denseNode('logits', 'second', 3),
    );
    const model = twinned(graph, 4);
    const inherited = inheritChannels(model, shrink(graph, 0.5));
    const teacher = createNetwork(backend, model);
    const student = createNetwork(backend, inherited.model);
    const images = drawImages([32, 6]);
    const { tensors } = backend.memory();
    const controller = new AbortController();
    let left = turns;
    const turn = async (): Promise<void> => void (--left === 0 && controller.abort());
    const { channels } = inherited;
    await expect(
      fitLayers({ teacher, student, channels, images, turn, signal: controller.signal }),
    ).rejects.toMatchObject({ name: 'AbortError' });
    expect(backend.memory().tensors).toBe(tensors);
    expect((await student.toModel()).weights).toEqual(inherited.model.weights);
    for (const owned of [teacher, student]) owned.dispose();
    backend.dispose(images);
  });

  it('keeps weights of which the images tell too little', async () => {
    const graph = graphOf([40], denseNode('hidden', 'input', 40), denseNode('logits', 'hidden', 3));
    const { before, after } = await compare(twinned(graph, 4), 8);
    expect(after).toEqual(before);
  });
});
