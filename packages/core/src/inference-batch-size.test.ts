import { expect, test } from 'vitest';
import { lenet5Graph } from './_testing/lenet5-graph.ts';
import { inferenceBatchSize } from './inference-batch-size.ts';
import type { Graph } from './model/model.ts';

const globalPool = (inputShape: [number, number, number]): Graph => ({
  name: 'pool',
  inputShape,
  nodes: [
    { kind: 'globalAveragePool2d', name: 'pool', inputs: ['input'] },
    { kind: 'dense', name: 'head', inputs: ['pool'], units: 2, useBias: true },
  ],
  outputs: { logits: 'head', features: 'pool' },
});

test('bounds what the largest feature map takes, the input included', () => {
  expect(inferenceBatchSize(globalPool([8, 8, 3]))).toBe(500);
  // Its first convolution gives 28 x 28 x 6.
  expect(inferenceBatchSize(lenet5Graph())).toBe(Math.floor(2 ** 21 / (28 * 28 * 6)));
  expect(inferenceBatchSize(globalPool([224, 224, 3]))).toBe(13);
  expect(inferenceBatchSize(globalPool([4096, 4096, 3]))).toBe(1);
});
