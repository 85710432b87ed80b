import {
  createRandomStream,
  DaflError,
  describeClassifier,
  type Graph,
  initializeWeights,
  type ModelNode,
} from '@dafl/core';
import { describe, expect, it } from 'vitest';
import { markLogits } from './mark-logits.ts';

function denseNode(name: string, input: string, units: number): ModelNode {
  return { kind: 'dense', name, inputs: [input], units, useBias: true };
}

const graph: Graph = {
  name: 'sure',
  inputShape: [2, 2, 1],
  nodes: [
    { kind: 'flatten', name: 'flat', inputs: ['input'], order: 'hwc' },
    denseNode('head', 'flat', 3),
    { kind: 'activation', name: 'prob', inputs: ['head'], function: 'softmax' },
    denseNode('after', 'prob', 2),
  ],
  outputs: { logits: 'after', features: 'flat' },
};
const model = initializeWeights(graph, createRandomStream(0, 'weights'));

describe('markLogits', () => {
  it('makes a classifier of a network that ends in something else, and drops what is not needed', () => {
    const marked = markLogits(model, 'head');
    expect(describeClassifier(marked.graph).classes).toBe(3);
    expect(marked.graph.nodes.map(({ name }) => name)).toEqual(['flat', 'head']);
    expect([...marked.weights.keys()]).toEqual(['head.kernel', 'head.bias']);
  });

  it('refuses a node that is not there', () => {
    expect(() => markLogits(model, 'haed')).toThrow(
      new DaflError(
        'MODEL',
        "Cannot use model 'sure' as 'logits' must name one of its nodes [flat, head, prob, after]: current value is 'haed'",
      ),
    );
  });
});
