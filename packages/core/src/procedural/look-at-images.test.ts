import { createCpuBackend } from '@dafl/backend-cpu';
import { expect, it } from 'vitest';
import { tinyGraph } from '../_testing/tiny-classifier.ts';
import { denseNode, normNode } from '../_testing/nodes.ts';
import { initializeWeights } from '../model/initialize-weights.ts';
import type { Graph } from '../model/model.ts';
import { createNetwork } from '../model/network.ts';
import { predictLogits } from '../predict.ts';
import { createRandomStream } from '../random.ts';
import { lookAtImages } from './look-at-images.ts';

const backend = createCpuBackend();
const normed: Graph = {
  ...tinyGraph(),
  nodes: [
    // Expects the mean 0 and the variance 1, as it begins with them.
    normNode('norm', 'input'),
    { kind: 'flatten', name: 'flatten', inputs: ['norm'], order: 'hwc' },
    denseNode('logits', 'flatten', 4),
  ],
};

async function look(graph: Graph) {
  const before = backend.memory().tensors;
  const network = createNetwork(backend, initializeWeights(graph, createRandomStream(1, 'weights')));
  const values = Float32Array.from({ length: 128 }, (_, index) => (index >= 64 ? 5 : index % 2 === 0 ? 1 : -1));
  const images = backend.tensor(values, [2, 8, 8, 1]);
  const seen = await lookAtImages(network, images);
  const logits = await predictLogits(network, images);
  backend.dispose(images);
  network.dispose();
  expect(backend.memory().tensors).toBe(before);
  return { seen, logits };
}

it('tells how far images are from what batch norms expect', async () => {
  const { seen, logits } = await look(normed);
  expect(seen.logits).toEqual(logits);
  const [usual, flat] = seen.strangeness!;
  // By hand: nothing is off, but for the least that counts; a mean off by five deviations and no variance.
  expect(usual).toBeCloseTo(2 * Math.log(1e-6), 1);
  expect(flat).toBeCloseTo(Math.log(25) + Math.log(Math.log(1e-3) ** 2), 3);
});

it('says nothing of strangeness where there are no batch norms', async () => {
  const { seen, logits } = await look(tinyGraph());
  expect(seen).toEqual({ logits, strangeness: null });
});
