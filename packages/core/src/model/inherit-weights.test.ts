import { describe, expect, it } from 'vitest';
import { lenet5Graph } from '../_testing/lenet5-graph.ts';
import { activationNode, convNode, denseNode, normNode } from '../_testing/nodes.ts';
import { DaflError } from '../errors.ts';
import { createRandomStream } from '../random.ts';
import { inheritChannels, inheritWeights } from './inherit-weights.ts';
import { initializeWeights } from './initialize-weights.ts';
import type { Graph, HostTensor, Model, ModelNode } from './model.ts';
import { shrink } from './shrink.ts';
import { validateModel } from './validate-model.ts';

function drawnModel(graph: Graph): Model {
  return initializeWeights(graph, createRandomStream(1, 'weights'));
}

const point = { kernelSize: [1, 1], padding: { top: 0, bottom: 0, left: 0, right: 0 }, useBias: false } as const;

describe('inheritWeights', () => {
  it('keeps the channels whose filters and readers are largest, in their order', () => {
    const graph: Graph = {
      name: 'rows',
      inputShape: [2],
      nodes: [denseNode('hidden', 'input', 4), activationNode('relu', 'hidden'), denseNode('head', 'relu', 2)],
      outputs: { logits: 'head' },
    };
    const weights = new Map<string, HostTensor>([
      // Norms of the columns 1, 5, 2, 10; of the head's rows 10, 1, 1, 1: importance 10, 5, 2, 10.
      ['hidden.kernel', { shape: [2, 4], data: Float32Array.of(1, 3, 0, 6, 0, 4, 2, 8) }],
      ['hidden.bias', { shape: [4], data: Float32Array.of(0.1, 0.2, 0.3, 0.4) }],
      ['head.kernel', { shape: [4, 2], data: Float32Array.of(6, 8, 1, 0, 0, 1, 0, -1) }],
      ['head.bias', { shape: [2], data: Float32Array.of(0.5, 0.6) }],
    ]);
    const student = inheritWeights({ graph, weights }, shrink(graph, 0.5));
    expect([...student.weights]).toEqual([
      ['hidden.kernel', { shape: [2, 2], data: Float32Array.of(1, 6, 0, 8) }],
      ['hidden.bias', { shape: [2], data: Float32Array.of(0.1, 0.4) }],
      ['head.kernel', { shape: [2, 2], data: Float32Array.of(6, 8, 0, -1) }],
      ['head.bias', { shape: [2], data: Float32Array.of(0.5, 0.6) }],
    ]);
  });

  describe('of two filters, a checkerboard of large weights and a sum of small ones', () => {
    const large = [2, -2, -2, 2];
    const sum = [1, 1, 1, 1];
    /** The filter that a student keeps which has one, behind these nodes. */
    const keptBehind = (...nodes: readonly ModelNode[]): number[] => {
      const graph: Graph = {
        name: 'patches',
        inputShape: [2, 2, 1],
        nodes: [
          ...nodes,
          convNode('conv', nodes.at(-1)?.name ?? 'input', 2, { ...point, kernelSize: [2, 2] }),
          { kind: 'globalAveragePool2d', name: 'pool', inputs: ['conv'] },
          denseNode('head', 'pool', 2, { useBias: false }),
        ],
        outputs: { logits: 'head' },
      };
      const weights = new Map<string, HostTensor>([
        ['before.kernel', { shape: [1, 1, 1, 1], data: Float32Array.of(1) }],
        // As a whitened layer weighs them.
        [
          'conv.kernel',
          { shape: [2, 2, 1, 2], data: Float32Array.from(large.flatMap((value, at) => [value, sum[at]])) },
        ],
        ['head.kernel', { shape: [2, 2], data: Float32Array.of(1, 0, 0, 1) }],
      ]);
      return [...inheritWeights({ graph, weights }, shrink(graph, 0.5)).weights.get('conv.kernel')!.data];
    };
    const scaled: ModelNode = { kind: 'affine', name: 'scaled', inputs: ['input'], factor: [2], summand: [-1] };

    it('keeps what varies over images, not the large weights of fine detail', () => {
      expect(keptBehind()).toEqual(sum);
    });

    it('does so where images are scaled or padded before them', () => {
      const padding = { top: 1, bottom: 0, left: 0, right: 1 };
      expect(keptBehind(scaled)).toEqual(sum);
      expect(keptBehind({ kind: 'pad2d', name: 'padded', inputs: ['input'], padding })).toEqual(sum);
      expect(keptBehind(scaled, { kind: 'pad2d', name: 'padded', inputs: ['scaled'], padding })).toEqual(sum);
    });

    it('goes by the weights behind another layer, also where what that gives is scaled', () => {
      const before = convNode('before', 'input', 1, point);
      expect(keptBehind(before)).toEqual(large);
      expect(keptBehind(before, { ...scaled, inputs: ['before'] })).toEqual(large);
    });
  });

  it.each(['chw', 'hwc'] as const)('follows channels through a flattening in the order %s', (order) => {
    const graph: Graph = {
      name: 'maps',
      inputShape: [1, 2, 1],
      nodes: [
        convNode('conv', 'input', 2, point),
        { kind: 'flatten', name: 'flat', inputs: ['conv'], order },
        denseNode('head', 'flat', 2, { useBias: false }),
      ],
      outputs: { logits: 'head' },
    };
    const weights = new Map<string, HostTensor>([
      ['conv.kernel', { shape: [1, 1, 1, 2], data: Float32Array.of(1, 5) }],
      ['head.kernel', { shape: [4, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8) }],
    ]);
    const student = inheritWeights({ graph, weights }, shrink(graph, 0.5));
    // The second channel stays: the last two rows channel by channel, every second one as pixels lie.
    const expected = order === 'chw' ? [5, 6, 7, 8] : [3, 4, 7, 8];
    expect([...student.weights.get('head.kernel')!.data]).toEqual(expected);
  });

  it('keeps the same channels on both sides of a sum', () => {
    const graph: Graph = {
      name: 'sums',
      inputShape: [1, 1, 1],
      nodes: [
        convNode('left', 'input', 2, point),
        convNode('right', 'input', 2, point),
        { kind: 'add', name: 'sum', inputs: ['left', 'right'] },
        { kind: 'globalAveragePool2d', name: 'pool', inputs: ['sum'] },
        denseNode('head', 'pool', 2, { useBias: false }),
      ],
      outputs: { logits: 'head' },
    };
    const weights = new Map<string, HostTensor>([
      // Alone the left would keep its first channel; together the second is the larger.
      ['left.kernel', { shape: [1, 1, 1, 2], data: Float32Array.of(3, 2) }],
      ['right.kernel', { shape: [1, 1, 1, 2], data: Float32Array.of(1, 4) }],
      ['head.kernel', { shape: [2, 2], data: Float32Array.of(1, 1, 1, 1) }],
    ]);
    const student = inheritWeights({ graph, weights }, shrink(graph, 0.5));
    expect([...student.weights.values()].map(({ data }) => [...data])).toEqual([[2], [4], [1, 1]]);
    const { channels } = inheritChannels({ graph, weights }, shrink(graph, 0.5));
    expect([...channels.values()]).toEqual([[1], [1], [1], [1], [0, 1]]);
  });

  it('gives a sound model of LeNet-5-HALF and of a block with normalisations, depthwise and gated', () => {
    const block: Graph = {
      name: 'block',
      inputShape: [8, 8, 3],
      nodes: [
        convNode('stem', 'input', 8, { useBias: false }),
        normNode('stem.norm', 'stem'),
        convNode('depthwise', 'stem.norm', 8, { groups: 8 }),
        { kind: 'globalAveragePool2d', name: 'squeeze', inputs: ['depthwise'] },
        denseNode('excite', 'squeeze', 8),
        { kind: 'reshape', name: 'gate', inputs: ['excite'], shape: [1, 1, 8] },
        { kind: 'multiply', name: 'gated', inputs: ['depthwise', 'gate'] },
        { kind: 'concat', name: 'joined', inputs: ['gated', 'stem'] },
        { kind: 'globalAveragePool2d', name: 'pool', inputs: ['joined'] },
        denseNode('head', 'pool', 5),
      ],
      outputs: { logits: 'head', features: 'pool' },
    };
    for (const graph of [lenet5Graph(), block]) {
      const teacher = drawnModel(graph);
      const student = shrink(graph, 0.5);
      const inherited = inheritWeights(teacher, student);
      expect(inherited.graph).toBe(student);
      expect(() => validateModel(inherited)).not.toThrow();
      // Nothing is made up.
      for (const [name, { data }] of inherited.weights) {
        const own = new Set(teacher.weights.get(name)!.data);
        expect(data.every((value) => own.has(value))).toBe(true);
      }
    }
  });

  it('keeps as many channels of each group that is normalised', () => {
    const teacher = drawnModel({
      name: 'groups',
      inputShape: [4, 4, 3],
      nodes: [
        convNode('conv', 'input', 12),
        { kind: 'groupNorm', name: 'norm', inputs: ['conv'], groups: 3, epsilon: 1e-5, affine: true },
        activationNode('relu', 'norm'),
        convNode('next', 'relu', 8),
        { kind: 'groupNorm', name: 'next.norm', inputs: ['next'], groups: 2, epsilon: 1e-5, affine: true },
        { kind: 'globalAveragePool2d', name: 'pool', inputs: ['next.norm'] },
        denseNode('head', 'pool', 5),
      ],
      outputs: { logits: 'head', features: 'pool' },
    });
    const { model, channels } = inheritChannels(teacher, shrink(teacher.graph, 0.5));
    expect(() => validateModel(model)).not.toThrow();
    const groupsOf = (name: string, size: number) => channels.get(name)!.map((channel) => Math.floor(channel / size));
    expect(groupsOf('norm', 4)).toEqual([0, 0, 1, 1, 2, 2]);
    expect(groupsOf('next.norm', 4)).toEqual([0, 0, 1, 1]);
  });

  it('is the teacher itself at ratio 1', () => {
    const teacher = drawnModel(lenet5Graph());
    expect(inheritWeights(teacher, shrink(teacher.graph, 1)).weights).toEqual(teacher.weights);
  });

  const lenet = lenet5Graph();
  const grouped: Graph = {
    name: 'grouped',
    inputShape: [4, 4, 4],
    nodes: [convNode('pairs', 'input', 4, { groups: 2 })],
    outputs: { logits: 'pairs' },
  };
  it.each<[string, Graph, Graph]>([
    [
      "Cannot inherit weights of 'lenet5' for 'short' as the student must have its 12 nodes: current value is 11",
      lenet,
      { ...lenet, name: 'short', nodes: lenet.nodes.slice(0, -1), outputs: {} },
    ],
    [
      "Cannot inherit weights of 'lenet5' for 'other' as node 1 must be 'conv1.relu' (activation) of the same inputs: current value is 'bent' (activation)",
      lenet,
      {
        ...lenet,
        name: 'other',
        nodes: lenet.nodes.map((node, index) => (index === 1 ? { ...node, name: 'bent' } : node)),
      },
    ],
    [
      "Cannot inherit weights of 'grouped' for 'wide' as node 'pairs' (conv2d) must have 4 channels: current value is 6",
      grouped,
      { ...grouped, name: 'wide', nodes: [convNode('pairs', 'input', 6, { groups: 2 })] },
    ],
  ])('says: %s', (message, graph, student) => {
    const inherit = () => inheritWeights(drawnModel(graph), student);
    expect(inherit).toThrow(DaflError);
    expect(inherit).toThrow(message);
  });
});
