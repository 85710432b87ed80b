import type { Graph, ModelNode } from '@dafl/core';
import { architectures } from '@dafl/models';
import { expect, test } from 'vitest';
import { tinyTeacher } from '../../../test-fixtures/tiny-teacher.ts';
import { warnOfModel } from './warn-of-model.ts';

const resnet = architectures.get('resnet20')!.create();

test('has nothing to say of a network with batch norm and preprocessing', () => {
  const preprocessing = { resize: 'bilinear', mean: [0.5, 0.5, 0.5], standardDeviation: [0.2, 0.2, 0.2] } as const;
  expect(warnOfModel({ ...resnet, preprocessing })).toEqual([]);
});

test('tells a softmax at the end', () => {
  const { graph } = tinyTeacher();
  const head: ModelNode = { kind: 'softmax', name: 'prob', inputs: ['logits'], axis: 0, logarithm: false };
  const ended = { ...graph, nodes: [...graph.nodes, head], outputs: { ...graph.outputs, logits: 'prob' } };
  expect(warnOfModel(ended)).toEqual(["The logits are what Softmax 'prob' at its end reads"]);
});

test('tells that batch norm is missing, and that nothing is known of the pixels', () => {
  const without = resnet.nodes.map((node): ModelNode =>
    node.kind === 'batchNorm' ? { kind: 'activation', name: node.name, inputs: node.inputs, function: 'relu' } : node,
  );
  const graph: Graph = { ...resnet, nodes: without, preprocessing: undefined };
  expect(warnOfModel(graph).map((warning) => warning.split(':')[0])).toEqual([
    'Its convolutions have no batch norm, or it was folded into them',
    'It names no mean and deviation',
  ]);
});
