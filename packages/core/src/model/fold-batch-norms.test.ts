import { createCpuBackend } from '@dafl/backend-cpu';
import { expect, it } from 'vitest';
import { convNode, denseNode, normNode } from '../_testing/nodes.ts';
import { randomGraph } from '../_testing/random-graph.ts';
import { predictLogits } from '../predict.ts';
import { createRandomStream } from '../random.ts';
import { foldBatchNorms } from './fold-batch-norms.ts';
import { initializeWeights } from './initialize-weights.ts';
import type { Graph, Model } from './model.ts';
import { createNetwork } from './network.ts';
import { validateModel } from './validate-model.ts';

const backend = createCpuBackend();

/** Weights whose batch norms have met data. */
function trained(graph: Graph): Model {
  const { weights } = initializeWeights(graph, createRandomStream(1, 'weights'));
  const random = createRandomStream(2, 'statistics');
  const moved = [...weights].map(([name, weight]) => {
    if (!/(scale|offset|runningMean|runningVariance)$/.test(name)) return [name, weight] as const;
    return [name, { ...weight, data: random.uniform(weight.data.length, 0.5, 1.5) }] as const;
  });
  return { graph, weights: new Map(moved) };
}

async function logitsOf(model: Model): Promise<number[]> {
  const network = createNetwork(backend, model);
  const size = model.graph.inputShape.reduce((total, length) => total * length, 1);
  const images = backend.tensor(createRandomStream(3, 'images').normal(2 * size), [2, ...model.graph.inputShape]);
  const logits = [...(await predictLogits(network, images))];
  backend.dispose(images);
  network.dispose();
  return logits;
}

it.each(Array.from({ length: 20 }, (_, seed) => seed))('changes no logit of random graph %d', async (seed) => {
  const model = trained(randomGraph(seed));
  const folded = foldBatchNorms(model);
  validateModel(folded);
  const [before, after] = [await logitsOf(model), await logitsOf(folded)];
  const largest = before.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  for (const [index, value] of after.entries()) expect(Math.abs(value - before[index]) / largest).toBeLessThan(1e-5);
});

it('leaves norms whose layer others read, or that follow something else', () => {
  const nodes = [
    normNode('first', 'input'),
    convNode('conv', 'first', 4),
    normNode('norm', 'conv'),
    { kind: 'add', name: 'sum', inputs: ['conv', 'norm'] } as const,
    { kind: 'globalAveragePool2d', name: 'features', inputs: ['sum'] } as const,
    denseNode('dense', 'features', 3),
    normNode('logits', 'dense'),
  ];
  const graph: Graph = { name: 'norms', inputShape: [6, 6, 2], nodes, outputs: { logits: 'logits' } };
  const folded = foldBatchNorms(trained(graph)).graph;
  expect(folded.nodes.map(({ name }) => name)).toEqual(['first', 'conv', 'norm', 'sum', 'features', 'dense']);
  expect(folded.outputs).toEqual({ logits: 'dense' });
});
