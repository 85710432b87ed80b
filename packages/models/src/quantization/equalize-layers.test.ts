import { createCpuBackend } from '@dafl/backend-cpu';
import { createNetwork, createRandomStream, type Graph, initializeWeights, predictLogits } from '@dafl/core';
import { expect, test } from 'vitest';
import { lenet5 } from '../architectures/lenet5.ts';
import { equalizeLayers } from './equalize-layers.ts';

test('layers are equalised over pooling and flattening, and no answer changes', async () => {
  const graph = lenet5();
  const uneven = initializeWeights(graph, createRandomStream(1, 'weights'));
  // Filters that differ by factors of up to 2^5.
  for (const name of ['conv1', 'conv2', 'conv3', 'dense']) {
    const { data, shape } = uneven.weights.get(`${name}.kernel`)!;
    const filters = shape.at(-1)!;
    data.forEach((value, index) => (data[index] = value * 2 ** ((index % filters) % 6)));
  }
  const even = equalizeLayers(uneven)!;

  const largest = (model: typeof even, layer: string, axis: 2 | 3) => {
    const { data, shape } = model.weights.get(`${layer}.kernel`)!;
    const most = Array<number>(shape[axis]).fill(0);
    data.forEach((value, index) => {
      const channel = axis === 3 ? index % shape[3] : Math.floor(index / shape[3]) % shape[2];
      most[channel] = Math.max(most[channel], Math.abs(value));
    });
    return most;
  };
  const made = largest(even, 'conv2', 3);
  largest(even, 'conv3', 2).forEach((range, channel) => expect(range / made[channel]).toBeCloseTo(1, 2));
  expect(largest(uneven, 'conv3', 2)[0] / largest(uneven, 'conv2', 3)[0]).toBeGreaterThan(2);

  const backend = createCpuBackend({ precision: 'float64' });
  const input = backend.tensor(createRandomStream(2, 'input').normal(2 * 32 * 32), [2, ...graph.inputShape]);
  const [before, after] = [
    await predictLogits(createNetwork(backend, uneven), input),
    await predictLogits(createNetwork(backend, even), input),
  ];
  const size = Math.max(...before.map(Math.abs));
  before.forEach((value, index) => expect((value - after[index]) / size).toBeCloseTo(0, 6));
});

test('layers are left alone where something between them would notice', () => {
  const graph: Graph = {
    name: 'bounded',
    inputShape: [2],
    nodes: [
      { kind: 'dense', name: 'first', inputs: ['input'], units: 2, useBias: false },
      { kind: 'activation', name: 'bounded', inputs: ['first'], function: 'relu6' },
      { kind: 'dense', name: 'second', inputs: ['bounded'], units: 2, useBias: false },
    ],
    outputs: { logits: 'second' },
  };
  expect(equalizeLayers(initializeWeights(graph, createRandomStream(1, 'weights')))).toBeUndefined();
});
