import { describe, expect, test } from 'vitest';
import { lenet5Graph } from '../_testing/lenet5-graph.ts';
import { describeModel } from './describe-model.ts';
import { graphCost } from './graph-cost.ts';
import type { Graph, ModelNode } from './model.ts';

const graphOf = (node: ModelNode): Graph => ({
  name: 'g',
  inputShape: [4, 4, 2],
  nodes: [node],
  outputs: { images: node.name },
});
const noPadding = { top: 0, bottom: 0, left: 0, right: 0 };

describe('graphCost', () => {
  test('counts at least the multiply-accumulates', () => {
    expect(graphCost(lenet5Graph()).operations).toBeGreaterThan(describeModel(lenet5Graph()).multiplyAccumulates);
  });

  test.each<[ModelNode, number, number]>([
    // 32 input values; 32 results; 32 read and 32 made.
    [{ name: 'a', kind: 'activation', inputs: ['input'], function: 'relu' }, 64, 64],
    [{ name: 'a', kind: 'add', inputs: ['input', 'input'] }, 64, 96],
    // 4 x 4 windows of 3 x 3 on an input padded to 6 x 6.
    [
      {
        name: 'a',
        kind: 'maxPool2d',
        inputs: ['input'],
        windowSize: [3, 3],
        strides: [1, 1],
        padding: { top: 1, bottom: 1, left: 1, right: 1 },
      },
      32 + 32 + 72,
      32 + 32 * 9,
    ],
    // Kernel 2 x 2 x 1 x 6 (two groups) at 3 x 3 positions; an unpadded input counts as padded.
    [
      {
        name: 'a',
        kind: 'conv2d',
        inputs: ['input'],
        filters: 6,
        kernelSize: [2, 2],
        strides: [1, 1],
        padding: noPadding,
        dilations: [1, 1],
        groups: 2,
        useBias: true,
      },
      32 + 54 + 32,
      32 + 9 * 24,
    ],
    // A huge padding that strides skip.
    [
      {
        name: 'a',
        kind: 'conv2d',
        inputs: ['input'],
        filters: 2,
        kernelSize: [1, 1],
        strides: [2 ** 20, 2 ** 20],
        padding: { top: 0, bottom: 2 ** 20 - 4, left: 0, right: 2 ** 20 - 4 },
        dilations: [1, 1],
        groups: 1,
        useBias: true,
      },
      32 + 2 + 2 ** 41,
      32 + 4,
    ],
  ])('counts values and operations (%#)', (node, values, operations) => {
    expect(graphCost(graphOf(node))).toEqual({ values, operations });
  });
});
