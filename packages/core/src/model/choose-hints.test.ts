import { describe, expect, it } from 'vitest';
import { activationNode, convNode, denseNode, maxPoolNode, normNode } from '../_testing/nodes.ts';
import { chooseHintNodes, chooseHints } from './choose-hints.ts';
import { inheritChannels } from './inherit-weights.ts';
import { initializeWeights } from './initialize-weights.ts';
import { createRandomStream } from '../random.ts';
import type { Graph, ModelNode } from './model.ts';
import { shrink } from './shrink.ts';

/** Nodes between images of 8 x 8 pixels and the logits, which the last of them gives. */
function graphOf(...nodes: readonly ModelNode[]): Graph {
  return { name: 'net', inputShape: [8, 8, 3], nodes, outputs: { logits: nodes.at(-1)!.name } };
}

const pool = (input: string): ModelNode => ({ kind: 'globalAveragePool2d', name: 'pool', inputs: [input] });
const scale = (name: string, input: string, factor: number): ModelNode => {
  return { kind: 'affine', name, inputs: [input], factor: [factor], summand: [0] };
};

describe('chooseHintNodes', () => {
  it('takes what convolutions and dense layers give, but for the logits', () => {
    const graph = graphOf(
      convNode('conv', 'input', 4),
      activationNode('relu', 'conv'),
      pool('relu'),
      denseNode('hidden', 'pool', 8),
      denseNode('logits', 'hidden', 2),
    );
    expect(chooseHintNodes(graph)).toEqual(['conv', 'hidden']);
  });

  it('takes the batch norm behind a layer in its place, where nothing else reads that layer', () => {
    const graph = graphOf(
      convNode('conv1', 'input', 4),
      normNode('norm1', 'conv1'),
      convNode('conv2', 'norm1', 4),
      normNode('norm2', 'conv2'),
      { kind: 'add', name: 'sum', inputs: ['conv2', 'norm2'] },
      pool('sum'),
      denseNode('logits', 'pool', 2),
    );
    expect(chooseHintNodes(graph)).toEqual(['norm1', 'conv2']);
  });

  it('takes the batch norm behind a pooling, and nothing behind what bends values', () => {
    const graph = graphOf(
      convNode('conv1', 'input', 4),
      maxPoolNode('pool1', 'conv1'),
      normNode('norm1', 'pool1'),
      convNode('conv2', 'norm1', 4),
      activationNode('relu2', 'conv2'),
      normNode('norm2', 'relu2'),
      pool('norm2'),
      denseNode('logits', 'pool', 2),
    );
    expect(chooseHintNodes(graph)).toEqual(['norm1', 'conv2']);
  });

  it.each<[string, ...ModelNode[]]>([
    ['scaled', denseNode('last', 'pool', 2), scale('logits', 'last', 1 / 9)],
    ['normalised and scaled', denseNode('last', 'pool', 2), normNode('norm', 'last'), scale('logits', 'norm', 2)],
    [
      'of a convolution, flattened',
      { kind: 'reshape', name: 'pixel', inputs: ['pool'], shape: [1, 1, 4] },
      convNode('last', 'pixel', 2, { kernelSize: [1, 1], padding: { top: 0, bottom: 0, left: 0, right: 0 } }),
      { kind: 'flatten', name: 'row', inputs: ['last'], order: 'chw' },
      scale('logits', 'row', 2),
    ],
    [
      'of one unit, as two classes',
      denseNode('last', 'pool', 1),
      scale('class0', 'last', -0.5),
      scale('class1', 'last', 0.5),
      { kind: 'concat', name: 'logits', inputs: ['class0', 'class1'] },
    ],
  ])('leaves out logits that are %s', (_, ...head) => {
    expect(chooseHintNodes(graphOf(convNode('conv', 'input', 4), pool('conv'), ...head))).toEqual(['conv']);
  });

  it('keeps a layer that reaches the logits through more than a scaling', () => {
    const graph = graphOf(convNode('conv', 'input', 2), pool('conv'), scale('logits', 'pool', 2));
    expect(chooseHintNodes(graph)).toEqual(['conv']);
  });

  it('spreads eight evenly over deeper networks, the last layer among them', () => {
    const names = Array.from({ length: 20 }, (_, index) => `conv${index + 1}`);
    const layers = names.map((name, index) => convNode(name, names[index - 1] ?? 'input', 4));
    const graph = graphOf(...layers, pool('conv20'), denseNode('logits', 'pool', 2));
    expect(chooseHintNodes(graph)).toEqual([3, 5, 8, 10, 13, 15, 18, 20].map((index) => `conv${index}`));
    // As many as there may be stay all.
    const shallow = graphOf(...layers.slice(0, 8), pool('conv8'), denseNode('logits', 'pool', 2));
    expect(chooseHintNodes(shallow)).toEqual(names.slice(0, 8));
  });
});

describe('chooseHints', () => {
  it("says of each layer which of the teacher's channels the student has", () => {
    const graph = graphOf(
      convNode('conv', 'input', 4),
      normNode('norm', 'conv'),
      pool('norm'),
      denseNode('last', 'pool', 2),
      scale('logits', 'last', 1 / 9),
    );
    const inherited = inheritChannels(initializeWeights(graph, createRandomStream(1, 'weights')), shrink(graph, 0.5));
    const channels = inherited.channels.get('norm')!;
    expect(channels).toHaveLength(2);
    expect(chooseHints(graph, inherited)).toEqual([{ node: 'norm', channels, width: 4 }]);
  });
});
