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

  it.each<[string, ModelNode[]]>([
    ['a sigmoid', [{ kind: 'activation', name: 'p', inputs: ['unit'], function: 'sigmoid' }]],
    ['a hard sigmoid', [{ kind: 'activation', name: 'p', inputs: ['unit'], function: 'hardSigmoid' }]],
    [
      'a softened tanh',
      [
        { kind: 'affine', name: 'half', inputs: ['unit'], factor: [0.5], summand: [0] },
        { kind: 'activation', name: 'tanh', inputs: ['half'], function: 'tanh' },
        { kind: 'affine', name: 'p', inputs: ['tanh'], factor: [0.5], summand: [0.5] },
      ],
    ],
  ])('is left to core behind %s, which is above 0 for each image', async (_, tail) => {
    const model = modelOf(graphOf(...tail));
    expect(pairUnit(model)).toEqual({ model });
    const backend = createCpuBackend({ precision: 'float64' });
    const images = backend.tensor(createRandomStream(2, 'pixels').normal(64), [16, 2, 2, 1]);
    const logits = await predictLogits(createNetwork(backend, model), images);
    const labels = Array.from({ length: 16 }, (__, image) => Number(logits[2 * image + 1] > logits[2 * image]));
    expect(new Set(labels)).toEqual(new Set([0, 1]));
  });

  it('is left where nothing can be told of it', () => {
    const sure = modelOf(graphOf({ kind: 'activation', name: 'p', inputs: ['unit'], function: 'softmax' }));
    expect(pairUnit(sure)).toEqual({ model: sure });
  });
});
