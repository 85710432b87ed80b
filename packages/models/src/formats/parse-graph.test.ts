import type { Graph, ModelNode } from '@dafl/core';
import { describe, expect, test } from 'vitest';
import { lenet5 } from '../architectures/lenet5.ts';
import { parseJson } from './_parse-json.ts';
import { createReject } from './_reject.ts';
import { parseGraph } from './parse-graph.ts';

const reject = createReject('x', 'a model');
const read = (graph: unknown): Graph => parseGraph(parseJson(JSON.stringify(graph), 'it', reject), reject);

const noPadding = { top: 0, bottom: 0, left: 0, right: 0 };
const pool = { windowSize: [2, 2], strides: [2, 2], padding: noPadding } as const;

/** Nodes of the older kinds, with all that they may have; each kind's own test has its node. */
const nodes = {
  conv2d: {
    name: 'a',
    kind: 'conv2d',
    inputs: ['input'],
    filters: 4,
    kernelSize: [3, 1],
    strides: [1, 2],
    padding: { top: 0, bottom: 1, left: 2, right: 3 },
    dilations: [1, 1],
    groups: 2,
    useBias: false,
  },
  dense: { name: 'a', kind: 'dense', inputs: ['input'], units: 3, useBias: true },
  batchNorm: { name: 'a', kind: 'batchNorm', inputs: ['input'], epsilon: 1e-5, momentum: 0.1, affine: true },
  activation: { name: 'a', kind: 'activation', inputs: ['input'], function: 'leakyRelu', slope: 0.2 },
  affine: { name: 'a', kind: 'affine', inputs: ['input'], factor: [-2], summand: [0.5, 1 / 3] },
  maxPool2d: { name: 'a', kind: 'maxPool2d', inputs: ['input'], ...pool },
  averagePool2d: { name: 'a', kind: 'averagePool2d', inputs: ['input'], ...pool, countsPadding: true },
  globalAveragePool2d: { name: 'a', kind: 'globalAveragePool2d', inputs: ['input'] },
  add: { name: 'a', kind: 'add', inputs: ['input', 'input'] },
  multiply: { name: 'a', kind: 'multiply', inputs: ['input', 'input'] },
  concat: { name: 'a', kind: 'concat', inputs: ['input', 'input'] },
  pad2d: { name: 'a', kind: 'pad2d', inputs: ['input'], padding: noPadding },
  upsampleNearest2d: { name: 'a', kind: 'upsampleNearest2d', inputs: ['input'], factors: [2, 3] },
  reshape: { name: 'a', kind: 'reshape', inputs: ['input'], shape: [2, 8] },
  flatten: { name: 'a', kind: 'flatten', inputs: ['input'], order: 'chw' },
  dropout: { name: 'a', kind: 'dropout', inputs: ['input'], rate: 0.5 },
} satisfies Record<string, ModelNode>;

const graph: Graph = { name: 'g', inputShape: [4, 4, 2], nodes: [nodes.conv2d], outputs: { images: 'a' } };
const withNode = (kind: keyof typeof nodes, fields: object = {}): object => ({
  ...graph,
  nodes: [{ ...nodes[kind], ...fields }],
});
const rejected = (message: string): unknown =>
  expect.objectContaining({ code: 'MODEL', message: `Cannot read 'x' as a model as ${message}` });

describe('parseGraph', () => {
  test('copies a graph', () => {
    expect(read(lenet5())).toEqual(lenet5());
    expect(read(lenet5())).not.toBe(lenet5());
    expect(read(graph)).toEqual(graph);
    expect(Object.keys(read(graph))).not.toContain('preprocessing');
  });

  test.each(Object.values(nodes))('copies a node of kind $kind, and misses each of its fields', (node) => {
    expect(read({ ...graph, nodes: [node] }).nodes).toEqual([node]);
    for (const field of Object.keys(node).filter((key) => key !== 'slope')) {
      const { [field as 'name']: _, ...rest } = node;
      expect(() => read({ ...graph, nodes: [rest] })).toThrow("Cannot read 'x' as a model as ");
    }
    const known = Object.keys(node).join(', ');
    expect(() => read({ ...graph, nodes: [{ ...node, extra: 1 }] })).toThrow(
      new RegExp(`nodes\\[0\\] 'a' must have only the fields \\[${known}(, \\w+)*\\]: current value is 'extra'$`),
    );
  });

  test('gives fields the same order, whatever order they come in', () => {
    const { name, outputs, nodes: list, ...rest } = lenet5();
    const shuffled = {
      outputs,
      ...rest,
      nodes: list.map((node) => Object.fromEntries(Object.entries(node).reverse())),
      name,
    };
    expect(JSON.stringify(read(shuffled))).toBe(JSON.stringify(read(lenet5())));
  });

  test.each<[unknown, string]>([
    [[], 'graph must be an object: current value is []'],
    [
      { ...graph, name: undefined },
      "graph must have the field 'name': current value is ['inputShape', 'nodes', 'outputs']",
    ],
    [{ ...graph, name: '' }, "name must be 1 to 128 printable characters: current value is ''"],
    [{ ...graph, name: 'a\u001b[31m' }, "name must be 1 to 128 printable characters: current value is 'a\\u001b[31m'"],
    [
      { ...graph, lambda: 'import os' },
      "graph must have only the fields [name, inputShape, nodes, outputs, preprocessing, classNames]: current value is 'lambda'",
    ],
    [{ ...graph, inputShape: [] }, 'inputShape must be a list of 1 to 5: current value is []'],
    [{ ...graph, inputShape: [1, 1, 1, 1, 1, 1] }, 'inputShape must be a list of 1 to 5: current value is one of 6'],
    [{ ...graph, inputShape: [0] }, 'inputShape[0] must be an integer >= 1 and <= 2147483648: current value is 0'],
    [{ ...graph, nodes: [] }, 'nodes must be a list of 1 to 10000: current value is []'],
    [{ ...graph, nodes: Array(10_001).fill(1) }, 'nodes must be a list of 1 to 10000: current value is one of 10001'],
    [{ ...graph, nodes: [1] }, 'nodes[0] must be an object: current value is 1'],
    [
      withNode('add', { name: 'a b' }),
      "name of nodes[0] 'a b' must be 1 to 128 letters, digits or '._/-': current value is 'a b'",
    ],
    [
      withNode('add', { inputs: 'input' }),
      "inputs of nodes[0] 'a' must be a list of 0 to 10000: current value is 'input'",
    ],
    [
      withNode('add', { inputs: [1] }),
      "inputs of nodes[0] 'a'[0] must be 1 to 128 letters, digits or '._/-': current value is 1",
    ],
    [
      withNode('conv2d', { filters: 2 ** 31 + 1 }),
      "filters of nodes[0] 'a' must be an integer >= 1 and <= 2147483648: current value is 2147483649",
    ],
    [withNode('conv2d', { kernelSize: [3] }), "kernelSize of nodes[0] 'a' must be a list of 2: current value is [3]"],
    [
      withNode('conv2d', { strides: [0, 1] }),
      "strides of nodes[0] 'a'[0] must be an integer >= 1 and <= 2147483648: current value is 0",
    ],
    [
      withNode('conv2d', { padding: { ...noPadding, top: -1 } }),
      "top of padding of nodes[0] 'a' must be an integer >= 0 and <= 2147483648: current value is -1",
    ],
    [withNode('conv2d', { useBias: 1 }), "useBias of nodes[0] 'a' must be true or false: current value is 1"],
    [withNode('batchNorm', { epsilon: 0 }), "epsilon of nodes[0] 'a' must be a number > 0: current value is 0"],
    [withNode('batchNorm', { momentum: 2 }), "momentum of nodes[0] 'a' must be a number in [0, 1]: current value is 2"],
    [
      withNode('affine', { factor: [] }),
      "factor of nodes[0] 'a' must be a list of 1 to 2147483648: current value is []",
    ],
    [withNode('affine', { summand: [null] }), "summand of nodes[0] 'a'[0] must be a number: current value is null"],
    [withNode('activation', { slope: -1 }), "slope of nodes[0] 'a' must be a number >= 0: current value is -1"],
    [withNode('flatten', { order: 'whc' }), "order of nodes[0] 'a' must be one of [hwc, chw]: current value is 'whc'"],
    [withNode('dropout', { rate: 1 }), "rate of nodes[0] 'a' must be a number in [0, 1): current value is 1"],
    [{ ...graph, outputs: {} }, 'outputs must name 1 to 64 nodes: current value is 0'],
    [{ ...graph, outputs: { 'a-b': 'a' } }, "outputs must have roles of letters and digits: current value is 'a-b'"],
    [
      { ...graph, outputs: { logits: 1 } },
      "output 'logits' must be 1 to 128 letters, digits or '._/-': current value is 1",
    ],
    [
      { ...graph, preprocessing: { resize: 'nearest', mean: [0, 0], standardDeviation: [1, 1] } },
      "resize of preprocessing must be one of [bilinear]: current value is 'nearest'",
    ],
    [
      { ...graph, preprocessing: { resize: 'bilinear', mean: [0, 0], standardDeviation: [1, 0] } },
      'standardDeviation of preprocessing[1] must be a number > 0: current value is 0',
    ],
    [
      { ...graph, preprocessing: { resize: 'bilinear', mean: [0], standardDeviation: [1, 1] } },
      'mean of preprocessing must have one value for each of 2 channels: current value is 1',
    ],
  ])('rejects what is no graph (%#)', (value, message) => {
    expect(() => read(value)).toThrow(rejected(message));
  });

  test.each(['lambda', 'constructor', '__proto__', 1])('rejects the kind %j', (kind) => {
    expect(() => read({ ...graph, nodes: [{ ...nodes.add, kind }] })).toThrow(
      /^Cannot read 'x' as a model as kind of nodes\[0\] 'a' must be one of \[activation, add, .*\]: current value is /,
    );
  });

  test('lets no key reach a prototype', () => {
    const text = JSON.stringify(graph).replace('"images":"a"', '"__proto__":"a"');
    expect(() => parseGraph(parseJson(text, 'it', reject), reject)).toThrow(
      rejected("outputs must have roles of letters and digits: current value is '__proto__'"),
    );
    const polluting = JSON.stringify(graph).replace('{', '{"__proto__":{"polluted":1},');
    expect(() => parseGraph(parseJson(polluting, 'it', reject), reject)).toThrow("current value is '__proto__'");
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
