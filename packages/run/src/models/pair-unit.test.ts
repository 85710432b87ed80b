import { createCpuBackend } from '@dafl/backend-cpu';
import {
  createNetwork,
  createRandomStream,
  describeClassifier,
  type Graph,
  initializeWeights,
  type ModelNode,
  predictLogits,
} from '@dafl/core';
import { describe, expect, it } from 'vitest';
import { pairUnit } from './pair-unit.ts';

const graphOf = (...tail: ModelNode[]): Graph => {
  const nodes: ModelNode[] = [
    { kind: 'flatten', name: 'flat', inputs: ['input'], order: 'hwc' },
    { kind: 'dense', name: 'unit', inputs: ['flat'], units: 1, useBias: true },
    ...tail,
  ];
  return { name: 'one', inputShape: [2, 2, 1], nodes, outputs: { logits: nodes.at(-1)!.name, features: 'flat' } };
};
const modelOf = (graph: Graph) => initializeWeights(graph, createRandomStream(1, 'weights'));

describe('one unit', () => {
  it('decides between two classes by its sign', async () => {
    const model = modelOf(graphOf());
    const { model: paired, note } = pairUnit(model);
    expect(note).toBe("The one unit 'unit' at its end is taken as two classes: 1 where it is above 0, else 0");
    expect(describeClassifier(paired.graph).classes).toBe(2);
    const backend = createCpuBackend({ precision: 'float64' });
    const images = backend.tensor(createRandomStream(2, 'pixels').normal(12), [3, 2, 2, 1]);
    const units = await predictLogits(createNetwork(backend, model), images);
    const logits = await predictLogits(createNetwork(backend, paired), images);
    expect([...logits]).toEqual([...units].flatMap((unit) => [-unit / 2, unit / 2]));
    expect(pairUnit(paired)).toEqual({ model: paired });
  });

  it('is left where nothing can be told of it', () => {
    const sure = modelOf(graphOf({ kind: 'activation', name: 'p', inputs: ['unit'], function: 'softmax' }));
    expect(pairUnit(sure)).toEqual({ model: sure });
  });
});
