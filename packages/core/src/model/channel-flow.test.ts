import { createCpuBackend } from '@dafl/backend-cpu';
import { expectClose } from '@dafl/conformance';
import { afterAll, describe, expect, it } from 'vitest';
import { convNode, denseNode } from '../_testing/nodes.ts';
import { randomGraph } from '../_testing/random-graph.ts';
import { predictLogits } from '../predict.ts';
import { createRandomStream } from '../random.ts';
import { followChannels } from './channel-flow.ts';
import { inferShapes } from './infer-shapes.ts';
import { inheritWeights } from './inherit-weights.ts';
import { initializeWeights } from './initialize-weights.ts';
import type { Graph, Model, ModelNode } from './model.ts';
import { createNetwork } from './network.ts';
import { shrink } from './shrink.ts';

const backend = createCpuBackend({ precision: 'float64' });

/** Weights away from their start, where scales are 1 and offsets 0. */
function drawModel(graph: Graph): Model {
  const model = initializeWeights(graph, createRandomStream(5, 'weights'));
  const random = createRandomStream(6, 'shift');
  const weights = new Map(
    [...model.weights].map(([name, { shape, data }]) => {
      const shift = random.uniform(data.length, 0, 0.3);
      return [name, { shape, data: data.map((value, index) => value + shift[index]) }];
    }),
  );
  return { graph, weights };
}

/** The model with every second channel of each pool made zero, wherever it is made. */
function zeroEverySecond({ graph, weights }: Model): Model {
  const flow = followChannels(graph);
  const zeroed = new Set(
    flow.pools.flatMap(({ channels, isFixed }) => (isFixed ? [] : channels.filter((_, index) => index % 2 === 1))),
  );
  const changed = new Map(weights);
  const nodes = graph.nodes.map((node): ModelNode => {
    const followed = flow.nodes.get(node.name)!;
    for (const [name, { blocks, makes }] of Object.entries(followed.weights ?? {})) {
      const { shape, data } = weights.get(`${node.name}.${name}`)!;
      if (makes === undefined && shape.length > 1) continue;
      const last = blocks.flatMap((block) => block.at(-1)!);
      const isZero = last.map((channel) => zeroed.has(flow.find(channel)));
      const kept = data.map((value, index) => (isZero[index % last.length] ? 0 : value));
      changed.set(`${node.name}.${name}`, { shape, data: kept });
    }
    if (node.kind !== 'affine') return node;
    const channels = followed.output.at(-1)!;
    const clear = (values: readonly number[]) =>
      values.map((value, index) => (zeroed.has(flow.find(channels[index])) ? 0 : value));
    return { ...node, factor: clear(node.factor), summand: clear(node.summand) };
  });
  return { graph: { ...graph, nodes }, weights: changed };
}

async function logitsOf(model: Model): Promise<ArrayLike<number>> {
  const network = createNetwork(backend, model);
  const images = backend.tensor(Float64Array.from(createRandomStream(7, 'images').normal(2 * 192)), [2, 8, 8, 3]);
  const logits = await predictLogits(network, images);
  backend.dispose(images);
  network.dispose();
  return logits;
}

const seeds = Array.from({ length: 80 }, (_, seed) => seed);

describe('shrink and inheritWeights, on random graphs', () => {
  afterAll(() => expect(backend.memory().tensors).toBe(0));

  it.each(seeds)('a teacher half of whose channels are zero has a half that computes the same (%i)', async (seed) => {
    const teacher = zeroEverySecond(drawModel(randomGraph(seed)));
    const student = shrink(teacher.graph, 0.5);
    const inherited = inheritWeights(teacher, student);
    expectClose(await logitsOf(inherited), await logitsOf(teacher), { absolute: 1e-6, relative: 1e-6 });
    expect(describeWidths(student)).toBeLessThan(describeWidths(teacher.graph));
  });

  it.each([0.3, 0.7])('%d of the widths runs', async (ratio) => {
    for (const seed of seeds) {
      const teacher = drawModel(randomGraph(seed));
      const inherited = inheritWeights(teacher, shrink(teacher.graph, ratio));
      expect(Array.from(await logitsOf(inherited)).every(Number.isFinite)).toBe(true);
    }
  });
});

describe('shrink, through kinds of later networks', () => {
  const dense = (name: string, input: string, units: number): ModelNode => denseNode(name, input, units);
  const shapesAt = (graph: Graph, ratio: number): Record<string, readonly number[]> => {
    const student = shrink(graph, ratio);
    inheritWeights(drawModel(graph), student);
    return Object.fromEntries([...inferShapes(student)].map(([name, { output }]) => [name, output]));
  };

  it('a transformer: embedding, heads of equal width, positions that stay', () => {
    const heads = (name: string, input: string, permutation: readonly number[]): ModelNode[] => [
      dense(name, input, 12),
      { kind: 'reshape', name: `${name}.heads`, inputs: [name], shape: [5, 3, 4] },
      { kind: 'transpose', name: `${name}.turned`, inputs: [`${name}.heads`], permutation },
    ];
    const graph: Graph = {
      name: 'transformer',
      inputShape: [2, 2, 3],
      nodes: [
        dense('patches', 'input', 8),
        { kind: 'reshape', name: 'tokens', inputs: ['patches'], shape: [4, 8] },
        { kind: 'constant', name: 'class', inputs: [], shape: [1, 8], trainable: true },
        { kind: 'concat', name: 'sequence', inputs: ['class', 'tokens'], axis: 0 },
        { kind: 'constant', name: 'positions', inputs: [], shape: [5, 8], trainable: true },
        { kind: 'add', name: 'placed', inputs: ['sequence', 'positions'] },
        { kind: 'layerNorm', name: 'norm', inputs: ['placed'], epsilon: 1e-5, affine: true },
        ...heads('query', 'norm', [1, 0, 2]),
        ...heads('key', 'norm', [1, 2, 0]),
        ...heads('value', 'norm', [1, 0, 2]),
        { kind: 'matMul', name: 'scores', inputs: ['query.turned', 'key.turned'] },
        { kind: 'softmax', name: 'attention', inputs: ['scores'], axis: 2, logarithm: false },
        { kind: 'matMul', name: 'mixed', inputs: ['attention', 'value.turned'] },
        { kind: 'transpose', name: 'back', inputs: ['mixed'], permutation: [1, 0, 2] },
        { kind: 'reshape', name: 'joined', inputs: ['back'], shape: [5, 12] },
        dense('project', 'joined', 8),
        { kind: 'add', name: 'residual', inputs: ['placed', 'project'] },
        dense('up', 'residual', 20),
        { kind: 'activation', name: 'bent', inputs: ['up'], function: 'gelu' },
        dense('down', 'bent', 8),
        { kind: 'add', name: 'out', inputs: ['residual', 'down'] },
        { kind: 'slice', name: 'first', inputs: ['out'], begin: [0, 0], size: [1, 8] },
        { kind: 'reshape', name: 'row', inputs: ['first'], shape: [8] },
        dense('logits', 'row', 3),
      ],
      outputs: { logits: 'logits', features: 'row' },
    };
    expect(shapesAt(graph, 0.5)).toMatchObject({
      tokens: [4, 4],
      class: [1, 4],
      positions: [5, 4],
      'query.heads': [5, 3, 2],
      scores: [3, 5, 5],
      joined: [5, 6],
      up: [5, 10],
      row: [4],
      logits: [3],
    });
  });

  it('slices of channels, a pixel shuffle, groups and a transposed convolution', () => {
    const graph: Graph = {
      name: 'split',
      inputShape: [4, 4, 3],
      nodes: [
        convNode('conv', 'input', 12),
        { kind: 'slice', name: 'left', inputs: ['conv'], begin: [0, 0, 0], size: [4, 4, 4] },
        { kind: 'slice', name: 'right', inputs: ['conv'], begin: [0, 0, 4], size: [4, 4, 8] },
        { kind: 'depthToSpace', name: 'shuffled', inputs: ['right'], blockSize: 2, order: 'channelsFirst' },
        {
          kind: 'transposedConv2d',
          name: 'grown',
          inputs: ['left'],
          filters: 6,
          kernelSize: [2, 2],
          strides: [2, 2],
          padding: { top: 0, bottom: 0, left: 0, right: 0 },
          dilations: [1, 1],
          groups: 2,
          outputPadding: [0, 0],
          useBias: true,
        },
        { kind: 'groupNorm', name: 'norm', inputs: ['grown'], groups: 2, epsilon: 1e-5, affine: true },
        { kind: 'concat', name: 'joined', inputs: ['shuffled', 'norm'] },
        { kind: 'reduce', name: 'pool', inputs: ['joined'], operation: 'max', axes: [0, 1], keepDimensions: false },
        dense('logits', 'pool', 3),
      ],
      outputs: { logits: 'logits', features: 'pool' },
    };
    expect(shapesAt(graph, 0.5)).toMatchObject({
      conv: [4, 4, 6],
      left: [4, 4, 2],
      right: [4, 4, 4],
      shuffled: [8, 8, 1],
      grown: [8, 8, 4],
      joined: [8, 8, 5],
      pool: [5],
    });
  });
});

/** All filters and units together. */
function describeWidths({ nodes }: Graph): number {
  return nodes.reduce(
    (total, node) => total + (node.kind === 'conv2d' ? node.filters : node.kind === 'dense' ? node.units : 0),
    0,
  );
}
