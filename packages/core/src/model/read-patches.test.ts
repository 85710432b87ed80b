import { createCpuBackend } from '@dafl/backend-cpu';
import { afterEach, expect, it } from 'vitest';
import { convNode, denseNode } from '../_testing/nodes.ts';
import type { Tensor } from '../backend.ts';
import { createRandomStream } from '../random.ts';
import { inferShapes } from './infer-shapes.ts';
import type { Conv2dNode } from './nodes/conv2d.ts';
import type { DenseNode } from './nodes/dense.ts';
import { type Patches, readPatches } from './read-patches.ts';

const backend = createCpuBackend({ precision: 'float64' });
afterEach(() => expect(backend.memory().tensors).toBe(0));

async function collect(patches: AsyncIterable<Patches>): Promise<{ rows: number; data: number[] }> {
  let rows = 0;
  const data: number[] = [];
  for await (const some of patches) {
    rows += some.rows;
    data.push(...some.data);
  }
  return { rows, data };
}

function multiplyRows(input: Tensor, matrix: Tensor): Tensor {
  const rows = backend.reshape(input, [input.shape.slice(0, -1).reduce((size, axis) => size * axis, 1), 5]);
  const product = backend.matMul(rows, matrix, false, false);
  backend.dispose(rows);
  return product;
}

it.each<[string, Conv2dNode | DenseNode, readonly number[]]>([
  ['a dense layer', denseNode('layer', 'input', 3), [5]],
  ['a dense layer over the last axis', denseNode('layer', 'input', 3), [4, 5]],
  ['a convolution', convNode('layer', 'input', 3), [6, 5, 2]],
  [
    'strides, dilations and uneven padding',
    convNode('layer', 'input', 3, {
      kernelSize: [3, 2],
      strides: [2, 1],
      dilations: [1, 2],
      padding: { top: 0, bottom: 2, left: 1, right: 0 },
    }),
    [7, 6, 2],
  ],
])('reads what the kernel is multiplied with: %s', async (_, node, inputShape) => {
  const layer = { ...node, useBias: false };
  const shapes = inferShapes({ name: 'net', inputShape, nodes: [layer], outputs: { logits: 'layer' } }).get('layer')!;
  const random = createRandomStream(1, 'values');
  const tensorOf = (shape: readonly number[]) =>
    backend.tensor(random.normal(shape.reduce((product, size) => product * size, 1)), shape);
  const batch = 3;
  const input = tensorOf([batch, ...inputShape]);
  const kernel = tensorOf(shapes.weights.kernel.shape);
  const { rows, data } = await collect(readPatches(backend, layer, shapes, input, 1_000, random));
  const values = data.length / rows;
  const read = backend.tensor(Float32Array.from(data), [rows, values]);
  const matrix = backend.reshape(kernel, [values, 3]);
  const product = backend.matMul(read, matrix, false, false);
  const expected = layer.kind === 'conv2d' ? backend.conv2d(input, kernel, null, layer) : multiplyRows(input, matrix);
  const [actual, wanted] = [await backend.read(product), await backend.read(expected)];
  expect(actual).toHaveLength(wanted.length);
  actual.forEach((value, index) => expect(value).toBeCloseTo(wanted[index], 5));
  for (const tensor of [input, kernel, read, matrix, product, expected]) backend.dispose(tensor);
});

it('reads so many positions of each image, other ones of each', async () => {
  const layer = convNode('layer', 'input', 1, {
    kernelSize: [1, 1],
    padding: { top: 0, bottom: 0, left: 0, right: 0 },
  });
  const shapes = inferShapes({ name: 'net', inputShape: [8, 8, 1], nodes: [layer], outputs: { logits: 'layer' } });
  const input = backend.tensor(
    Float32Array.from({ length: 4 * 64 }, (_, index) => index),
    [4, 8, 8, 1],
  );
  const random = createRandomStream(2, 'positions');
  const { rows, data } = await collect(readPatches(backend, layer, shapes.get('layer')!, input, 5, random));
  expect(rows).toBe(20);
  expect(data.map((value) => Math.floor(value / 64))).toEqual([0, 1, 2, 3].flatMap((image) => Array(5).fill(image)));
  expect(new Set(data.map((value) => value % 64)).size).toBeGreaterThan(10);
  backend.dispose(input);
});
