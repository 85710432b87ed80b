import { describe, expect, it } from 'vitest';
import { lenet5Graph } from '../_testing/lenet5-graph.ts';
import { convNode, normNode } from '../_testing/nodes.ts';
import { describeModel } from './describe-model.ts';

describe('describeModel', () => {
  it('counts what LeNet-5 costs', () => {
    const description = describeModel(lenet5Graph());
    expect(description).toMatchObject({
      name: 'lenet5',
      inputShape: [32, 32, 1],
      parameters: 61_706,
      multiplyAccumulates: 416_520,
      bytes: 61_706 * 4,
    });
    expect(description.nodes.filter((node) => node.parameters > 0)).toEqual([
      { name: 'conv1', kind: 'conv2d', outputShape: [28, 28, 6], parameters: 156, multiplyAccumulates: 117_600 },
      { name: 'conv2', kind: 'conv2d', outputShape: [10, 10, 16], parameters: 2416, multiplyAccumulates: 240_000 },
      { name: 'conv3', kind: 'conv2d', outputShape: [1, 1, 120], parameters: 48_120, multiplyAccumulates: 48_000 },
      { name: 'fc1', kind: 'dense', outputShape: [84], parameters: 10_164, multiplyAccumulates: 10_080 },
      { name: 'fc2', kind: 'dense', outputShape: [10], parameters: 850, multiplyAccumulates: 840 },
    ]);
    expect(describeModel(lenet5Graph([3, 8, 60, 42])).multiplyAccumulates).toBe(133_740);
  });

  it('counts running statistics as bytes, not as parameters, and groups once', () => {
    const description = describeModel({
      name: 'net',
      inputShape: [4, 4, 6],
      nodes: [convNode('conv', 'input', 6, { groups: 3, useBias: false }), normNode('norm', 'conv')],
      outputs: { out: 'norm' },
    });
    expect(description.nodes).toEqual([
      { name: 'conv', kind: 'conv2d', outputShape: [4, 4, 6], parameters: 108, multiplyAccumulates: 108 * 16 },
      { name: 'norm', kind: 'batchNorm', outputShape: [4, 4, 6], parameters: 12, multiplyAccumulates: 0 },
    ]);
    expect(description.bytes).toBe((108 + 24) * 4);
  });
});
