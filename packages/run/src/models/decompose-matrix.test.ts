import { createRandomStream } from '@dafl/core';
import { Matrix, SingularValueDecomposition } from 'ml-matrix';
import { expect, test } from 'vitest';
import { decomposeMatrix, type DenseMatrix } from './decompose-matrix.ts';

const breathe = async (): Promise<void> => {};

function random(rows: number, columns: number): DenseMatrix {
  return { rows, columns, data: createRandomStream(1, `${rows}x${columns}`).normal(rows * columns) };
}

/** Root of the squares of what the first pairs leave. */
async function errorOf(matrix: DenseMatrix, count: number): Promise<number> {
  const { rows, columns, data } = matrix;
  const { values, left, right } = await (await decomposeMatrix(matrix, breathe)).pairs(count);
  let squares = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let value = data[row * columns + column];
      for (let pair = 0; pair < count; pair++)
        value -= values[pair] * left[pair * rows + row] * right[pair * columns + column];
      squares += value ** 2;
    }
  }
  return Math.sqrt(squares);
}

/** How far rows are from being orthogonal and of length 1. */
function skewness(vectors: Float64Array, count: number): number {
  const length = vectors.length / count;
  let most = 0;
  for (let one = 0; one < count; one++) {
    for (let other = 0; other <= one; other++) {
      let product = one === other ? -1 : 0;
      for (let index = 0; index < length; index++)
        product += vectors[one * length + index] * vectors[other * length + index];
      most = Math.max(most, Math.abs(product));
    }
  }
  return most;
}

test.each([
  [1, 1, 1],
  [2, 3, 1],
  [60, 90, 20],
  [91, 60, 31],
  [64, 64, 64],
])('%s x %s: %s pairs leave what those of another algorithm leave', async (rows, columns, count) => {
  const matrix = random(rows, columns);
  const { diagonal } = new SingularValueDecomposition(Matrix.from1DArray(rows, columns, Array.from(matrix.data)), {
    autoTranspose: true,
  });
  const { squares } = await decomposeMatrix(matrix, breathe);
  diagonal.forEach((value, index) => expect(Math.abs(squares[index] - value ** 2)).toBeLessThan(1e-10 * squares[0]));
  const exact = Math.sqrt(diagonal.slice(count).reduce((sum, value) => sum + value ** 2, 0));
  expect(Math.abs((await errorOf(matrix, count)) - exact)).toBeLessThan(1e-9 * diagonal[0]);
});

/** Matrices with equal singular values, whose vectors are any of a plane. */
const alike: Readonly<Record<string, DenseMatrix>> = {
  zero: { rows: 8, columns: 9, data: new Float64Array(72) },
  identity: { rows: 12, columns: 12, data: Float64Array.from({ length: 144 }, (_, index) => Number(index % 13 === 0)) },
  'two blocks': {
    rows: 20,
    columns: 20,
    data: Float64Array.from({ length: 400 }, (_, index) => {
      const [row, column] = [Math.floor(index / 20), index % 20];
      return Math.floor(row / 10) === Math.floor(column / 10)
        ? random(10, 10).data[(row % 10) * 10 + (column % 10)]
        : 0;
    }),
  },
  // All but one are alike, a ten-thousandth of it.
  'one large': {
    rows: 30,
    columns: 30,
    data: Float64Array.from({ length: 900 }, (_, index) => (index % 31 === 0 ? 1 : 0) + 1e4 / 30),
  },
};

test.each(Object.entries(alike))('%s: vectors are orthogonal, and all pairs are the whole', async (_, matrix) => {
  const { rows } = matrix;
  const { left, values } = await (await decomposeMatrix(matrix, breathe)).pairs(rows);
  expect(skewness(left, rows)).toBeLessThan(1e-9);
  expect(await errorOf(matrix, rows)).toBeLessThan(1e-9 * Math.max(1, values[0]));
});
