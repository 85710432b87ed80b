import type { Graph, ModelNode } from '@dafl/core';
import { expect, test } from 'vitest';
import { architectures } from '../architectures/architectures.ts';
import { placeQuantizers } from './place-quantizers.ts';

test('what layers read and give is brought to bytes, behind its activation, but not the logits', () => {
  expect([...placeQuantizers(architectures.get('lenet5-half')!.create({}))]).toEqual([
    ['input', { source: 'input', isWritten: true }],
    ['relu1', { source: 'relu1', isWritten: true }],
    ['pool1', { source: 'relu1', isWritten: false }],
    ['relu2', { source: 'relu2', isWritten: true }],
    ['pool2', { source: 'relu2', isWritten: false }],
    ['relu3', { source: 'relu3', isWritten: true }],
    ['features', { source: 'relu3', isWritten: false }],
    ['relu4', { source: 'relu4', isWritten: true }],
  ]);
});

test('both sides of a sum are brought to bytes, and what follows it', () => {
  const convolution = (name: string, input: string): ModelNode => ({
    kind: 'conv2d',
    name,
    inputs: [input],
    filters: 2,
    kernelSize: [1, 1],
    strides: [1, 1],
    padding: { top: 0, left: 0, bottom: 0, right: 0 },
    dilations: [1, 1],
    groups: 1,
    useBias: true,
  });
  const graph: Graph = {
    name: 'residual',
    inputShape: [2, 2, 2],
    nodes: [
      convolution('a', 'input'),
      convolution('b', 'a'),
      { kind: 'add', name: 'sum', inputs: ['a', 'b'] },
      { kind: 'activation', name: 'relu', inputs: ['sum'], function: 'relu' },
      convolution('c', 'relu'),
      { kind: 'globalAveragePool2d', name: 'logits', inputs: ['c'] },
    ],
    outputs: { logits: 'logits' },
  };
  expect([...placeQuantizers(graph).keys()]).toEqual(['input', 'a', 'b', 'relu']);
});
