import { describe, expect, it } from 'vitest';
import { convNode, denseNode, normNode } from '../_testing/nodes.ts';
import { createRandomStream } from '../random.ts';
import { initializeWeights } from './initialize-weights.ts';
import type { Graph } from './model.ts';
import { validateModel } from './validate-model.ts';

const graph: Graph = {
  name: 'net',
  inputShape: [4, 4, 6],
  nodes: [
    convNode('conv', 'input', 40, { groups: 2 }),
    normNode('norm', 'conv'),
    { kind: 'flatten', name: 'flat', inputs: ['norm'], order: 'hwc' },
    denseNode('head', 'flat', 10),
  ],
  outputs: { logits: 'head' },
};

describe('initializeWeights', () => {
  const model = initializeWeights(graph, createRandomStream(1, 'weights'));
  const valuesOf = (name: string) => Array.from(model.weights.get(name)!.data);

  it('makes a sound model, its weights in the order of the graph', () => {
    expect(() => validateModel(model)).not.toThrow();
    expect([...model.weights.keys()]).toEqual([
      'conv.kernel',
      'conv.bias',
      'norm.scale',
      'norm.offset',
      'norm.runningMean',
      'norm.runningVariance',
      'head.kernel',
      'head.bias',
    ]);
  });

  it.each([
    // The fan-in of a group.
    ['conv', 3 * 3 * 3],
    ['head', 4 * 4 * 40],
  ])('draws %s uniformly within 1 / sqrt(%d)', (node, fanIn) => {
    const bound = 1 / Math.sqrt(fanIn);
    for (const weight of ['kernel', 'bias']) {
      const values = valuesOf(`${node}.${weight}`);
      expect(values.every((value) => Math.abs(value) <= bound)).toBe(true);
    }
    const kernel = valuesOf(`${node}.kernel`);
    expect(Math.max(...kernel)).toBeGreaterThan(0.98 * bound);
    expect(Math.min(...kernel)).toBeLessThan(-0.98 * bound);
    const variance = kernel.reduce((sum, value) => sum + value * value, 0) / kernel.length;
    // A uniform variance, of which a thousand draws give a tenth at most wrong.
    expect(variance / (bound ** 2 / 3)).toBeGreaterThan(0.9);
    expect(variance / (bound ** 2 / 3)).toBeLessThan(1.1);
  });

  it('starts normalisations as the identity', () => {
    expect(new Set([...valuesOf('norm.scale'), ...valuesOf('norm.runningVariance')])).toEqual(new Set([1]));
    expect(new Set([...valuesOf('norm.offset'), ...valuesOf('norm.runningMean')])).toEqual(new Set([0]));
  });

  it('gives the same for the same stream, other weights for another seed', () => {
    expect(initializeWeights(graph, createRandomStream(1, 'weights'))).toEqual(model);
    const other = initializeWeights(graph, createRandomStream(2, 'weights'));
    expect(other.weights.get('head.kernel')).not.toEqual(model.weights.get('head.kernel'));
  });
});
