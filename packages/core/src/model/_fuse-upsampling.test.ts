import { expect, it } from 'vitest';
import { fuseUpsampling } from './_fuse-upsampling.ts';
import type { Graph, ModelNode } from './model.ts';
import type { Conv2dNode } from './nodes/conv2d.ts';

const upsample: ModelNode = { kind: 'upsampleNearest2d', name: 'up', inputs: ['input'], factors: [2, 2] };
const conv: Conv2dNode = {
  kind: 'conv2d',
  name: 'conv',
  inputs: ['up'],
  filters: 2,
  kernelSize: [3, 3],
  strides: [1, 1],
  padding: { top: 1, bottom: 1, left: 1, right: 1 },
  dilations: [1, 1],
  groups: 1,
  useBias: true,
};
const graph = (nodes: ModelNode[], outputs: Record<string, string> = { images: 'conv' }): Graph => ({
  name: 'test',
  inputShape: [4, 4, 2],
  nodes,
  outputs,
});

it('makes an upsampling part of the convolution that alone reads it', () => {
  expect(fuseUpsampling(graph([upsample, conv]))).toEqual([{ node: conv, inputs: ['input'], isUpsampled: true }]);
});

it.each<[string, Graph]>([
  ['another factor', graph([{ ...upsample, factors: [2, 4] }, conv])],
  ['another kernel', graph([upsample, { ...conv, kernelSize: [1, 1] }])],
  ['a stride', graph([upsample, { ...conv, strides: [2, 1] }])],
  ['another padding', graph([upsample, { ...conv, padding: { ...conv.padding, top: 0 } }])],
  ['groups', graph([upsample, { ...conv, groups: 2 }])],
  ['dilations', graph([upsample, { ...conv, dilations: [1, 2] }])],
  ['a second reader', graph([upsample, conv, { kind: 'add', name: 'sum', inputs: ['up', 'up'] }])],
  ['a marked output', graph([upsample, conv], { images: 'conv', upsampled: 'up' })],
])('leaves the nodes apart with %s', (_, given) => {
  expect(fuseUpsampling(given)).toEqual(given.nodes.map((node) => ({ node, inputs: node.inputs, isUpsampled: false })));
});
