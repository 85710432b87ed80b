import { describe, expect, it } from 'vitest';
import { activationNode, convNode, denseNode, maxPoolNode, normNode } from '../_testing/nodes.ts';
import { DaflError } from '../errors.ts';
import { inferShapes } from './infer-shapes.ts';
import type { Graph, ModelNode } from './model.ts';

const inputs = ['input'];

function graphOf(nodes: readonly ModelNode[], inputShape: readonly number[] = [8, 6, 4]): Graph {
  return { name: 'net', inputShape, nodes, outputs: { out: nodes.at(-1)!.name } };
}

describe('inferShapes', () => {
  it.each<[ModelNode, number[], Record<string, number[]>]>([
    [convNode('n', 'input', 5), [8, 6, 5], { kernel: [3, 3, 4, 5], bias: [5] }],
    [
      convNode('n', 'input', 6, { groups: 2, strides: [2, 1], dilations: [1, 2], useBias: false }),
      [4, 4, 6],
      { kernel: [3, 3, 2, 6] },
    ],
    [normNode('n', 'input'), [8, 6, 4], { scale: [4], offset: [4], runningMean: [4], runningVariance: [4] }],
    [normNode('n', 'input', { affine: false }), [8, 6, 4], { runningMean: [4], runningVariance: [4] }],
    [activationNode('n', 'input', 'gelu'), [8, 6, 4], {}],
    [maxPoolNode('n', 'input', { windowSize: [3, 3] }), [3, 2, 4], {}],
    [{ ...maxPoolNode('n', 'input'), kind: 'averagePool2d', countsPadding: true }, [4, 3, 4], {}],
    [{ kind: 'globalAveragePool2d', name: 'n', inputs }, [4], {}],
    [{ kind: 'add', name: 'n', inputs: ['input', 'input'] }, [8, 6, 4], {}],
    [{ kind: 'concat', name: 'n', inputs: ['input', 'input'] }, [8, 6, 8], {}],
    [{ kind: 'pad2d', name: 'n', inputs, padding: { top: 1, bottom: 2, left: 3, right: 4 } }, [11, 13, 4], {}],
    [{ kind: 'upsampleNearest2d', name: 'n', inputs, factors: [2, 3] }, [16, 18, 4], {}],
    [{ kind: 'reshape', name: 'n', inputs, shape: [12, 16] }, [12, 16], {}],
    [{ kind: 'flatten', name: 'n', inputs, order: 'chw' }, [192], {}],
    [{ kind: 'dropout', name: 'n', inputs, rate: 0.5 }, [8, 6, 4], {}],
  ])('tells shapes and weights of %j', (node, output, weights) => {
    const found = inferShapes(graphOf([node])).get('n')!;
    expect(found.output).toEqual(output);
    const shapes = Object.entries(found.weights).map(([name, { shape }]) => [name, shape] as const);
    expect(Object.fromEntries(shapes)).toEqual(weights);
    const trained = Object.entries(found.weights).filter(([, { trainable }]) => trainable);
    expect(trained.map(([name]) => name)).toEqual(Object.keys(weights).filter((name) => !name.startsWith('running')));
  });

  it('tells the shape of a gate that broadcasts', () => {
    const gate: ModelNode[] = [
      { kind: 'globalAveragePool2d', name: 'gate', inputs },
      { kind: 'multiply', name: 'gated', inputs: ['gate', 'input'] },
    ];
    expect(inferShapes(graphOf(gate)).get('gated')!.output).toEqual([8, 6, 4]);
  });

  it('reads a dense layer', () => {
    const { output, weights } = inferShapes(graphOf([denseNode('n', 'input', 3)], [7])).get('n')!;
    expect(output).toEqual([3]);
    expect(weights).toMatchObject({
      kernel: { shape: [7, 3], trainable: true },
      bias: { shape: [3], trainable: true },
    });
  });

  const flat: ModelNode = { kind: 'flatten', name: 'flat', inputs, order: 'hwc' };
  it.each<[string, readonly ModelNode[]]>([
    ["node 'n' (conv2d) must read nodes that stand before it: current value is 'late'", [convNode('n', 'late', 3)]],
    ["node 'n' (conv2d) must read nodes that stand before it: current value is 'n'", [convNode('n', 'n', 3)]],
    [
      "node 'n' (batchNorm) must have a name of its own: current value is 'n'",
      [convNode('n', 'input', 3), normNode('n', 'input')],
    ],
    ["node 'input' (conv2d) must have a name of its own: current value is 'input'", [convNode('input', 'input', 3)]],
    [
      "node 'n' (conv2d) must have one input: current value is 2",
      [{ ...convNode('n', 'input', 3), inputs: ['input', 'input'] }],
    ],
    ["node 'n' (flatten) must have one input: current value is 0", [{ ...flat, name: 'n', inputs: [] }]],
    ["node 'n' (add) must have at least one input: current value is 0", [{ kind: 'add', name: 'n', inputs: [] }]],
    ["node 'n' (conv2d) must read [height, width, channels]: current value is [192]", [flat, convNode('n', 'flat', 3)]],
    [
      "node 'n' (conv2d) must divide its channels into 3 groups: current value is 4 -> 6",
      [convNode('n', 'input', 6, { groups: 3 })],
    ],
    [
      "node 'n' (conv2d) must give sizes >= 1: current value is [6, -2, 3]",
      [convNode('n', 'input', 3, { kernelSize: [3, 9], padding: { top: 0, bottom: 0, left: 0, right: 0 } })],
    ],
    [
      "filters of nodes[0] 'n' must be an integer >= 1 and <= 2147483648: current value is 0",
      [convNode('n', 'input', 0)],
    ],
    [
      "top of padding of nodes[0] 'n' must be an integer >= 0 and <= 2147483648: current value is -1",
      [convNode('n', 'input', 3, { padding: { top: -1, bottom: 1, left: 1, right: 1 } })],
    ],
    [
      "dilations of nodes[0] 'n'[1] must be an integer >= 1 and <= 2147483648: current value is 0",
      [convNode('n', 'input', 3, { dilations: [1, 0] })],
    ],
    [
      "slope of nodes[0] 'n' must be a number >= 0: current value is -1",
      [activationNode('n', 'input', 'leakyRelu', -1)],
    ],
    [
      "node 'n' (activation) must have 'slope' only for leakyRelu: current value is 1",
      [activationNode('n', 'input', 'relu', 1)],
    ],
    [
      "rate of nodes[0] 'n' must be a number in [0, 1): current value is 1",
      [{ kind: 'dropout', name: 'n', inputs, rate: 1 }],
    ],
    [
      "node 'n' (activation) must read one row an example for softmax: current value is [8, 6, 4]",
      [activationNode('n', 'input', 'softmax')],
    ],
    [
      "node 'n' (add) must read shapes that broadcast: current value is [8, 6, 4] and [192]",
      [flat, { kind: 'add', name: 'n', inputs: ['input', 'flat'] }],
    ],
    [
      "node 'n' (concat) must read shapes that agree with [8, 6, 4] but for the channels: current value is [4, 3, 4]",
      [maxPoolNode('pool', 'input'), { kind: 'concat', name: 'n', inputs: ['input', 'pool'] }],
    ],
    [
      "node 'n' (reshape) must hold the 192 elements of [8, 6, 4]: current value is [5, 5]",
      [{ kind: 'reshape', name: 'n', inputs, shape: [5, 5] }],
    ],
    [
      "kind of nodes[0] 'n' must be one of [activation, add, ",
      [{ kind: 'lambda', name: 'n', inputs } as unknown as ModelNode],
    ],
  ])('says: %s', (message, nodes) => {
    const infer = () => inferShapes(graphOf(nodes));
    expect(infer).toThrow(DaflError);
    expect(infer).toThrow(`Cannot use model 'net' as ${message}`);
  });

  it('refuses an output that names no node', () => {
    expect(() => inferShapes({ ...graphOf([denseNode('n', 'input', 3)], [4]), outputs: { logits: 'head' } })).toThrow(
      "Cannot use model 'net' as output 'logits' must name a node: current value is 'head'",
    );
  });
});
