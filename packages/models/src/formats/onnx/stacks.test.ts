/** Values that are stacked before their batch, and masks that are infinite or cast to truths, as torch writes them. */
import { expect, it } from 'vitest';
import { buildOnnx, floats, integers, node } from './_testing/build-onnx.ts';
import { runModel } from './_testing/run-model.ts';
import { readOnnx } from './read-onnx.ts';

const row = [0.3, -1.2, 0.7, 2];
const [first, second] = [
  [1, 0, -1, 0.5, 2, 0, -0.5, 1, 1, 0, 0.25, 1],
  [0.5, 1, 0, -1, 0.25, 2, 1, 0, -0.5, 1, 1, 0],
];
const product = (matrix: readonly number[]) =>
  [0, 1, 2].map((column) => row.reduce((sum, value, index) => sum + value * matrix[3 * index + column], 0));
const near = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 5) as number);

const weights = [floats('v', [4, 3], first), floats('w', [4, 3], second), integers('zero', [0])];
const layers = [node('MatMul x,v -> a'), node('MatMul x,w -> b')];
const stack = [node('Unsqueeze a,zero -> c'), node('Unsqueeze b,zero -> d')];
const read = (nodes: ReturnType<typeof node>[], given = weights) =>
  readOnnx(buildOnnx({ shape: ['N', 4], weights: given, nodes, opset: 18 }), 'x.onnx').model;

it('the mean of a stack is that of its parts', async () => {
  const joined = [node('Concat c,d -> e', { axis: 0 }), node('ReduceMean e,zero -> y', { keepdims: 0 })];
  const [a, b] = [product(first), product(second)];
  const model = read([...layers, ...stack, ...joined]);
  expect(await runModel(model, Float32Array.from([...row, ...row]), [2, 4])).toEqual(
    near([...a, ...a].map((value, index) => (value + b[index % 3]) / 2)),
  );
});

it('examples are not joined: the batch stays', () => {
  const joined = [node('Concat a,b -> e', { axis: 0 }), node('Flatten e -> y')];
  expect(() => read([...layers, ...joined])).toThrow("Concat 'e' (it joins along the batch)");
});

it('a mask of infinite numbers leaves nothing of what it hides', async () => {
  const mask = floats('mask', [1, 3], [0, -Infinity, 0]);
  const model = read(
    [node('MatMul x,v -> a'), node('Add a,mask -> b'), node('Softmax b -> c'), node('MatMul c,u -> y')],
    [...weights, mask, floats('u', [3, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1])],
  );
  const [left, , right] = product(first).map(Math.exp);
  expect(await runModel(model, Float32Array.from(row), [1, 4])).toEqual(
    near([left / (left + right), 0, right / (left + right)]),
  );
});

it('a cast to truths says what is not 0', async () => {
  const ones = floats('ones', [1, 3], [1, 1, 1]);
  const shifted = floats('shift', [1, 3], [0.6 + 0.35 - 0.3, 0, 0]);
  const model = read(
    [
      node('MatMul x,v -> a'),
      node('Add a,shift -> b'),
      node('Cast b -> t', { to: 9 }),
      node('Where t,ones,a -> c'),
      node('MatMul c,u -> y'),
    ],
    [...weights, ones, shifted, floats('u', [3, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1])],
  );
  expect(await runModel(model, Float32Array.of(0, 0, 0, 0), [1, 4])).toEqual(near([1, 0, 0]));
});

it('sums of many entries are refused before they are written down', () => {
  const nodes = [node('CumSum x,axis -> s'), node('MatMul s,w -> y')];
  const given = [integers('axis', [1]), floats('w', [600, 2], Array<number>(1200).fill(1))];
  expect(() => readOnnx(buildOnnx({ shape: ['N', 600], weights: given, nodes }), 'x.onnx')).toThrow(
    "CumSum 's' (it sums up 600 entries)",
  );
});
