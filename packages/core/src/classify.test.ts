import { createCpuBackend } from '@dafl/backend-cpu';
import { expect, it } from 'vitest';
import { denseNode } from './_testing/nodes.ts';
import { classify } from './classify.ts';
import { createNetwork } from './model/network.ts';

const backend = createCpuBackend();

/** Logits of a picture x of one pixel in 0..1: 0 and 4x - 2. */
const network = createNetwork(backend, {
  graph: {
    name: 'shades',
    inputShape: [1, 1, 1],
    nodes: [{ kind: 'flatten', name: 'flat', inputs: ['input'], order: 'hwc' }, denseNode('head', 'flat', 2)],
    outputs: { logits: 'head', features: 'flat' },
    classNames: ['dark', 'light'],
  },
  weights: new Map([
    ['head.kernel', { shape: [1, 2], data: Float32Array.of(0, 4) }],
    ['head.bias', { shape: [2], data: Float32Array.of(0, -2) }],
  ]),
});

it('names the class and gives its probability, in batches of any size', async () => {
  const before = backend.memory().tensors;
  const images = { count: 3, height: 1, width: 1, channels: 1, pixels: Uint8Array.of(0, 255, 51) };
  const light = [-2, 2, -1.2].map((logit) => 1 / (1 + Math.exp(-logit)));
  for (const batchSize of [1, 2, 3]) {
    const found = await classify(network, images, { batchSize });
    expect(found.map(({ label, className }) => [label, className])).toEqual([
      [0, 'dark'],
      [1, 'light'],
      [0, 'dark'],
    ]);
    found.forEach(({ probabilities }, index) => {
      expect(probabilities[1]).toBeCloseTo(light[index], 6);
      expect(probabilities[0]).toBeCloseTo(1 - light[index], 6);
    });
  }
  expect(backend.memory().tensors).toBe(before);
});
