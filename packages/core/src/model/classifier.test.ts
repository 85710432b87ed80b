import { describe, expect, it } from 'vitest';
import { lenet5Graph } from '../_testing/lenet5-graph.ts';
import { denseNode } from '../_testing/nodes.ts';
import { DaflError } from '../errors.ts';
import { describeClassifier } from './classifier.ts';
import type { Graph } from './model.ts';

describe('describeClassifier', () => {
  it('reads LeNet-5', () => {
    expect(describeClassifier(lenet5Graph())).toEqual({
      classes: 10,
      featureSize: 120,
      inputShape: [32, 32, 1],
      preprocessing: { resize: 'bilinear', mean: [0.1307], standardDeviation: [0.3081] },
    });
  });

  it('leaves pixels at 0..1 where the model says nothing', () => {
    const { preprocessing } = describeClassifier({ ...lenet5Graph(), preprocessing: undefined });
    expect(preprocessing).toEqual({ resize: 'bilinear', mean: [0], standardDeviation: [1] });
  });

  it('counts the elements of a map as features', () => {
    const graph: Graph = { ...lenet5Graph(), outputs: { logits: 'fc2', features: 'pool2' } };
    expect(describeClassifier(graph).featureSize).toBe(5 * 5 * 16);
  });

  const vector: Graph = {
    name: 'rows',
    inputShape: [4],
    nodes: [denseNode('head', 'input', 3)],
    outputs: { logits: 'head', features: 'input' },
  };
  it.each<[string, Graph]>([
    [
      "Cannot use model 'lenet5' as a classifier as it must mark an output 'logits': current value is [features]",
      { ...lenet5Graph(), outputs: { features: 'flatten' } },
    ],
    [
      "Cannot use model 'lenet5' as a classifier as it must mark an output 'features': current value is [logits]",
      { ...lenet5Graph(), outputs: { logits: 'fc2' } },
    ],
    [
      "Cannot use model 'lenet5' as a classifier as 'logits' must give one row of at least 2 classes: current value is [5, 5, 16]",
      { ...lenet5Graph(), outputs: { logits: 'pool2', features: 'flatten' } },
    ],
    [
      "Cannot use model 'rows' as a classifier as its input must be [height, width, channels]: current value is [4]",
      vector,
    ],
    [
      "Cannot use model 'rows' as a classifier as 'logits' must give one row of at least 2 classes: current value is [1]",
      { ...vector, nodes: [denseNode('head', 'input', 1)] },
    ],
    [
      "as a classifier as 'logits' must match 'classNames': current value is 2",
      { ...lenet5Graph(), classNames: ['one', 'two'] },
    ],
    [
      "Cannot use model 'lenet5' as mean of preprocessing must have one value for each of 3 channels: current value is 1",
      { ...lenet5Graph(), inputShape: [32, 32, 3] },
    ],
  ])('says: %s', (message, graph) => {
    const describe = () => describeClassifier(graph);
    expect(describe).toThrow(DaflError);
    expect(describe).toThrow(message);
  });
});
