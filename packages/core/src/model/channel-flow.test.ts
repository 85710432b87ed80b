import { createCpuBackend } from '@dafl/backend-cpu';
import { expectClose } from '@dafl/conformance';
import { afterAll, describe, expect, it } from 'vitest';
import { randomGraph } from '../_testing/random-graph.ts';
import { predictLogits } from '../predict.ts';
import { createRandomStream } from '../random.ts';
import { followChannels } from './channel-flow.ts';
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

/** All filters and units together. */
function describeWidths({ nodes }: Graph): number {
  return nodes.reduce(
    (total, node) => total + (node.kind === 'conv2d' ? node.filters : node.kind === 'dense' ? node.units : 0),
    0,
  );
}
