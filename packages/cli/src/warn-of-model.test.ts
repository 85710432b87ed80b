import type { ModelNode } from '@dafl/core';
import { architectures } from '@dafl/models';
import { expect, test } from 'vitest';
import { tinyTeacher } from '../../../test-fixtures/tiny-teacher.ts';
import { warnOfModel } from './warn-of-model.ts';

const resnet = architectures.get('resnet20')!.create();

test('has nothing to say of a network with batch norm, whatever pixels it takes', () => {
  expect(warnOfModel(resnet)).toEqual([]);
  const preprocessing = { resize: 'bilinear', mean: [0, 0, 0], standardDeviation: [1, 1, 1] } as const;
  expect(warnOfModel({ ...resnet, preprocessing })).toEqual([]);
});

test('tells a softmax at the end', () => {
  const { graph } = tinyTeacher();
  const head: ModelNode = { kind: 'softmax', name: 'prob', inputs: ['logits'], axis: 0, logarithm: false };
  const ended = { ...graph, nodes: [...graph.nodes, head], outputs: { ...graph.outputs, logits: 'prob' } };
  expect(warnOfModel(ended)).toEqual(["The logits are what Softmax 'prob' at its end reads"]);
});

test('tells that batch norm is missing', () => {
  const nodes = resnet.nodes.map((node): ModelNode =>
    node.kind === 'batchNorm' ? { kind: 'activation', name: node.name, inputs: node.inputs, function: 'relu' } : node,
  );
  expect(warnOfModel({ ...resnet, nodes })).toEqual([
    'Its convolutions have no batch norm, or it was folded into them: losses on batch statistics cannot be used',
  ]);
});
