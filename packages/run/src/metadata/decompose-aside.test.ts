import { decomposeSymmetric } from '@dafl/methods';
import { expect, test } from 'vitest';
import { decomposeAside } from './decompose-aside.ts';

/** Symmetric, of `size` rows. */
const matrix = (size: number): Float64Array =>
  Float64Array.from({ length: size * size }, (_, index) => {
    const [row, column] = [Math.floor(index / size), index % size];
    return Math.sin(Math.min(row, column) * 7 + Math.max(row, column)) + (row === column ? size : 0);
  });

test('decomposes as in this thread', async () => {
  const { values, vectors } = await decomposeAside(matrix(20), 20);
  expect({ values, vectors }).toEqual(decomposeSymmetric(matrix(20), 20));
  // The first vector, which the matrix only stretches.
  const [size, first] = [20, Array.from({ length: 20 }, (_, row) => vectors[row * 20])];
  const product = first.map((_, row) =>
    first.reduce((sum, x, column) => sum + matrix(size)[row * size + column] * x, 0),
  );
  product.forEach((value, row) => expect(value).toBeCloseTo(values[0] * first[row], 8));
});

test('ends at once when it is told to', async () => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 200);
  await expect(decomposeAside(matrix(1_500), 1_500, controller.signal)).rejects.toMatchObject({ name: 'AbortError' });
});
