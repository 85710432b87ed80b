/** Dilated windows that are refused. What ONNX Runtime computes for others is in `read-onnx.test.ts`. */
import { expect, it } from 'vitest';
import { buildOnnx, node } from './_testing/build-onnx.ts';
import { readOnnx } from './read-onnx.ts';

it.each([
  ['padding that no memory would hold', { pads: [0, 0, 1e9, 0] }, 'a window can lie in padding alone'],
  ['padding of the size of a window', { pads: [4, 0, 0, 0] }, 'a window can lie in padding alone'],
  [
    'a window of many entries',
    { kernel_shape: [100, 1], pads: [99, 0, 99, 0] },
    'its window is dilated and has 100 entries',
  ],
])('refuses %s before it takes any', (_, attributes, reason) => {
  const nodes = [
    node('MaxPool x -> a', { kernel_shape: [2, 2], dilations: [2, 2], strides: [1, 1], ...attributes }),
    node('GlobalAveragePool a -> b'),
    node('Flatten b -> y'),
  ];
  expect(() => readOnnx(buildOnnx({ shape: ['N', 3, 8, 8], weights: [], nodes }), 'x.onnx')).toThrow(`(${reason})`);
});
