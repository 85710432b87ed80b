import { describe, expect, it } from 'vitest';
import { activationNode, convNode, denseNode, maxPoolNode, normNode } from '../_testing/nodes.ts';
import { randomGraph } from '../_testing/random-graph.ts';
import { createRandomStream } from '../random.ts';
import { addBatchNorms } from './add-batch-norms.ts';
import { foldBatchNorms } from './fold-batch-norms.ts';
import { initializeWeights } from './initialize-weights.ts';
import type { Graph, ModelNode } from './model.ts';
import { validateModel } from './validate-model.ts';

function graphOf(nodes: readonly ModelNode[], outputs: Graph['outputs'] = { logits: 'logits' }): Graph {
  return { name: 'net', inputShape: [6, 6, 2], nodes, outputs };
}

const normsOf = ({ nodes }: Graph): string[] =>
  nodes.flatMap(({ kind, inputs }) => (kind === 'batchNorm' ? [inputs[0]] : []));

describe('addBatchNorms', () => {
  it('puts them behind layers, before all that reads those, and never behind the last', () => {
    const graph = graphOf(
      [
        convNode('conv', 'input', 4),
        activationNode('relu', 'conv'),
        convNode('other', 'relu', 4),
        { kind: 'add', name: 'sum', inputs: ['other', 'conv'] },
        activationNode('act', 'sum'),
        { kind: 'globalAveragePool2d', name: 'pool', inputs: ['act'] },
        denseNode('features', 'pool', 5),
        activationNode('tanh', 'features', 'tanh'),
        denseNode('dense', 'tanh', 3),
        { kind: 'affine', name: 'logits', inputs: ['dense'], factor: [2], summand: [0] },
      ],
      { logits: 'logits', features: 'features' },
    );
    const added = addBatchNorms(graph);
    expect(normsOf(added)).toEqual(['conv', 'other', 'features']);
    expect(added.nodes.find(({ name }) => name === 'sum')!.inputs).toEqual(['other/norm', 'conv/norm']);
    expect(added.outputs).toEqual({ logits: 'logits', features: 'features/norm' });
    validateModel(initializeWeights(added, createRandomStream(1, 'weights')));
  });

  it.each<[string, readonly ModelNode[], string[]]>([
    [
      'where a pooling stands between the last convolution and the classes',
      [
        convNode('conv', 'input', 4),
        activationNode('relu', 'conv'),
        convNode('classes', 'relu', 3),
        { kind: 'globalAveragePool2d', name: 'logits', inputs: ['classes'] },
      ],
      ['conv'],
    ],
    [
      'where the classes are the sum of two layers',
      [
        convNode('conv', 'input', 4),
        maxPoolNode('pool', 'conv'),
        { kind: 'flatten', name: 'flat', inputs: ['pool'], order: 'hwc' },
        denseNode('one', 'flat', 3),
        denseNode('two', 'flat', 3),
        { kind: 'add', name: 'logits', inputs: ['one', 'two'] },
      ],
      ['conv'],
    ],
    [
      'what has no bias to take the offset',
      [
        convNode('conv', 'input', 4, { useBias: false }),
        convNode('second', 'conv', 4),
        activationNode('relu', 'second'),
        { kind: 'globalAveragePool2d', name: 'pool', inputs: ['relu'] },
        denseNode('logits', 'pool', 3),
      ],
      ['second'],
    ],
  ])('leaves out layers: %s', (_, nodes, expected) => {
    expect(normsOf(addBatchNorms(graphOf(nodes)))).toEqual(expected);
  });

  it('leaves graphs as they are that have norms', () => {
    for (const norm of [
      normNode('norm', 'conv'),
      { kind: 'groupNorm', name: 'norm', inputs: ['conv'], groups: 2, epsilon: 1e-5, affine: true } as const,
    ]) {
      const pool = { kind: 'globalAveragePool2d', name: 'pool', inputs: ['norm'] } as const;
      const graph = graphOf([convNode('conv', 'input', 4), norm, pool, denseNode('logits', 'pool', 3)]);
      expect(addBatchNorms(graph)).toBe(graph);
    }
  });

  it.each(Array.from({ length: 20 }, (_, seed) => seed))('is undone by folding: random graph %d', (seed) => {
    const { nodes, ...rest } = randomGraph(seed);
    // What reads a norm reads what that reads.
    const source = new Map(
      nodes.flatMap(({ kind, name, inputs }) => (kind === 'batchNorm' ? [[name, inputs[0]]] : [])),
    );
    const skip = (name: string): string => source.get(name) ?? name;
    const bare: Graph = {
      ...rest,
      nodes: nodes.flatMap((node) => (node.kind === 'batchNorm' ? [] : [{ ...node, inputs: node.inputs.map(skip) }])),
      outputs: Object.fromEntries(Object.entries(rest.outputs).map(([role, name]) => [role, skip(name)])),
    };
    const added = addBatchNorms(bare);
    const folded = foldBatchNorms(initializeWeights(added, createRandomStream(1, 'weights')));
    expect(folded.graph).toEqual(bare);
    validateModel(folded);
  });
});
