import { createCpuBackend } from '@dafl/backend-cpu';
import { afterEach, describe, expect, it } from 'vitest';
import { activationNode, convNode, denseNode, normNode } from '../_testing/nodes.ts';
import type { WhitenedLayer } from '../optimizers/whitened.ts';
import { createRandomStream } from '../random.ts';
import { createTurn } from '../turn.ts';
import { initializeWeights } from './initialize-weights.ts';
import type { Graph, ModelNode } from './model.ts';
import { createNetwork } from './network.ts';
import { whitenInputs } from './whiten-inputs.ts';

const backend = createCpuBackend({ precision: 'float64' });
afterEach(() => expect(backend.memory().tensors).toBe(0));

function graphOf(inputShape: readonly number[], ...nodes: readonly ModelNode[]): Graph {
  return { name: 'net', inputShape, nodes, outputs: { logits: nodes.at(-1)!.name } };
}

/** Images whose values hang together, and are far from 0. */
function drawImages(count: number, size: number): Float32Array {
  const drawn = createRandomStream(5, 'images').normal(count * size);
  return drawn.map((value, index) => 5 + value + (index % size > 0 ? 0.8 * drawn[index - 1] : 0));
}

async function whiten(graph: Graph, count: number, data?: Float32Array) {
  const model = initializeWeights(graph, createRandomStream(3, 'weights'));
  const network = createNetwork(backend, model);
  const size = graph.inputShape.reduce((product, length) => product * length, 1);
  const images = backend.tensor(data ?? drawImages(count, size), [count, ...graph.inputShape]);
  try {
    const random = createRandomStream(4, 'positions');
    const layers = await whitenInputs({ network, images, random, turn: createTurn() });
    return { model, layers, pixels: Array.from(await backend.read(images)) };
  } finally {
    network.dispose();
    backend.dispose(images);
  }
}

/** What a layer's weights are in the network's own coordinates, row by row. */
function ownWeights({ size, transform, weights }: WhitenedLayer): number[] {
  const columns = weights.length / size;
  return Array.from(weights, (_, index) => {
    const [row, column] = [Math.floor(index / columns), index % columns];
    let sum = 0;
    for (let at = 0; at < size; at++) sum += transform[at * size + row] * weights[at * columns + column];
    return sum;
  });
}

describe('whitenInputs', () => {
  it('chooses coordinates in which what a layer reads has mean 0, and variance without correlations', async () => {
    const count = 400;
    const { layers, pixels } = await whiten(graphOf([6], denseNode('logits', 'input', 3)), count);
    const [{ size, transform }] = layers;
    expect(size).toBe(7);
    const rows = Array.from({ length: count }, (_, row) => {
      const values = [...pixels.slice(row * 6, row * 6 + 6), 1];
      return Array.from({ length: 7 }, (__, at) => {
        return values.reduce((sum, value, column) => sum + transform[at * 7 + column] * value, 0);
      });
    });
    const mean = (valueOf: (row: number[]) => number): number =>
      rows.reduce((sum, row) => sum + valueOf(row), 0) / count;
    const variance = mean((row) => row[0] ** 2);
    for (let one = 0; one < 6; one++) {
      expect(mean((row) => row[one]) / Math.sqrt(variance)).toBeCloseTo(0, 4);
      for (let other = 0; other < 6; other++) {
        // 1 % was added to the variances.
        const expected = one === other ? 1 : 0;
        expect(Math.abs(mean((row) => row[one] * row[other]) / variance - expected)).toBeLessThan(0.05);
      }
    }
    expect(rows[0][6]).toBe(1);
  });

  it('gives weights of usual size that are the same layer', async () => {
    const { model, layers } = await whiten(
      graphOf(
        [8, 8, 2],
        convNode('conv', 'input', 4, { strides: [2, 2] }),
        activationNode('relu', 'conv'),
        { kind: 'flatten', name: 'flatten', inputs: ['relu'], order: 'hwc' },
        denseNode('logits', 'flatten', 3, { useBias: false }),
      ),
      200,
    );
    expect(layers.map(({ name }) => name)).toEqual(['conv', 'logits']);
    for (const layer of layers) {
      const parts = ['kernel', 'bias'].flatMap((part) => [...(model.weights.get(`${layer.name}.${part}`)?.data ?? [])]);
      const own = ownWeights(layer);
      expect(own).toHaveLength(parts.length);
      own.forEach((value, index) => expect(value).toBeCloseTo(parts[index], 4));
      const kernel = layer.weights.slice(0, model.weights.get(`${layer.name}.kernel`)!.data.length);
      const squares = kernel.reduce((sum, value) => sum + value ** 2, 0);
      expect(Math.sqrt(squares / kernel.length)).toBeCloseTo(0.1, 5);
    }
  });

  it('takes no mean where neither a bias nor a batch norm could', async () => {
    const count = 400;
    const withoutBias = denseNode('logits', 'input', 3, { useBias: false });
    const { layers, pixels } = await whiten(graphOf([4], withoutBias), count);
    const [{ size, transform }] = layers;
    expect(size).toBe(4);
    // What is large in all images is one of the directions.
    const first = Array.from({ length: count }, (_, row) => transform[0] * pixels[row * 4]);
    const square = first.reduce((sum, value) => sum + value ** 2, 0) / count;
    const deviation = Math.sqrt(square - (first.reduce((sum, value) => sum + value, 0) / count) ** 2);
    expect(deviation).toBeLessThan(0.3 * Math.sqrt(square));
  });

  it('leaves out groups, layers of which the images tell too little, and what never varies', async () => {
    const names = async (graph: Graph, count: number, data?: Float32Array): Promise<string[]> =>
      (await whiten(graph, count, data)).layers.map(({ name }) => name);
    const grouped = graphOf(
      [4, 4, 2],
      convNode('grouped', 'input', 4, { groups: 2, useBias: false }),
      normNode('norm', 'grouped'),
      { kind: 'flatten', name: 'flatten', inputs: ['norm'], order: 'hwc' },
      denseNode('wide', 'flatten', 3),
    );
    expect(await names(grouped, 100)).toEqual([]);
    expect(await names(grouped, 200)).toEqual(['wide']);
    const dense = graphOf([4], denseNode('logits', 'input', 3));
    expect(await names(dense, 100, new Float32Array(400).fill(0.5))).toEqual([]);
  });
});
