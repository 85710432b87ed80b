import { createCpuBackend } from '@dafl/backend-cpu';
import { expect, it } from 'vitest';
import { tinyGraph } from '../_testing/tiny-classifier.ts';
import { createRandomStream } from '../random.ts';
import { predictLogits } from '../predict.ts';
import { initializeWeights } from './initialize-weights.ts';
import type { Model, ModelNode } from './model.ts';
import { createNetwork } from './network.ts';
import { scaleLogits } from './scale-logits.ts';

const backend = createCpuBackend();

async function logitsOf(model: Model): Promise<number[]> {
  const network = createNetwork(backend, model);
  const images = backend.tensor(createRandomStream(2, 'images').normal(3 * 64), [3, 8, 8, 1]);
  const logits = [...(await predictLogits(network, images))];
  backend.dispose(images);
  network.dispose();
  return logits;
}

/** A classifier whose last node is another. */
function endingIn(...nodes: readonly ModelNode[]): Model {
  const graph = tinyGraph();
  const changed = { ...graph, nodes: [...graph.nodes, ...nodes] };
  const logits = nodes.at(-1)?.name ?? graph.outputs.logits;
  return initializeWeights({ ...changed, outputs: { ...graph.outputs, logits } }, createRandomStream(1, 'weights'));
}

it.each([
  ['a dense layer', endingIn()],
  [
    'an affine node',
    endingIn({ kind: 'affine', name: 'head', inputs: ['logits'], factor: [0.5], summand: [1, 2, 3, 4] }),
  ],
  ['another node', endingIn({ kind: 'activation', name: 'head', inputs: ['logits'], function: 'tanh' })],
])('scales the logits behind %s, there and back', async (_, model) => {
  const logits = await logitsOf(model);
  const scaled = scaleLogits(model, 8);
  expect(await logitsOf(scaled)).toEqual(logits.map((value) => value * 8));
  expect(scaleLogits(scaled, 1 / 8)).toEqual(model);
});
