/** Folds that a few numbers ask much of. What others give is compared with ONNX Runtime in `read-onnx.test.ts`. */
import { expect, it } from 'vitest';
import { buildOnnx, floats, integers, node } from './_testing/build-onnx.ts';
import { readOnnx } from './read-onnx.ts';

const weights = [
  floats('w', [4, 4], Array(16).fill(1)),
  integers('far', [0, 2 ** 31, 0, -(2 ** 31)]),
  integers('wide', [0, 0, 0, 2 ** 40]),
  integers('long', [4, 2 ** 22]),
  integers('three', [0, 1, 2]),
  integers('below', [4, -3]),
  integers('depth', [2 ** 40]),
  floats('pair', [2], [0, 1]),
];

it.each<[string, string, Parameters<typeof node>[1], string]>([
  ['borders that are cut off again', 'Pad w,far -> k', { mode: 'edge' }, "Pad 'k' (it makes an empty tensor)"],
  ['a wide border', 'Pad w,wide -> k', {}, "Pad 'k' (it makes a constant of 4398046511120 values)"],
  ['a long axis', 'Resize w,,,long -> k', { mode: 'cubic' }, "Resize 'k' (it makes a constant of 16777216 values)"],
  ['sizes below 0', 'ConstantOfShape below -> k', {}, "ConstantOfShape 'k' (it makes a constant of [4, -3])"],
  ['many classes', 'OneHot three,depth,pair -> k', {}, "OneHot 'k' (it makes a constant of 3298534883328 values)"],
])('refuses %s before any is made', (_, formula, attributes, reason) => {
  const nodes = [node(formula, attributes), node('MatMul x,k -> y')];
  expect(() => readOnnx(buildOnnx({ shape: ['N', 4], weights, nodes }), 'x.onnx')).toThrow(reason);
});

it('leaves products of large constants to the network', () => {
  const large = [
    floats('a', [4, 2048], new Float32Array(2 ** 13)),
    floats('b', [2048, 2048], new Float32Array(2 ** 22)),
  ];
  const nodes = [node('Einsum a,b -> ab', { equation: 'ij,jk->ik' }), node('MatMul x,ab -> y')];
  const { model } = readOnnx(buildOnnx({ shape: ['N', 4], weights: large, nodes }), 'x.onnx');
  expect(model.graph.nodes.map(({ kind }) => kind)).toEqual([
    'constant',
    'constant',
    'matMul',
    'reshape',
    'matMul',
    'reshape',
  ]);
});
