import { expect, it } from 'vitest';
import { createRandomStream } from '../random.ts';
import { createTurn } from '../turn.ts';
import { invertCholesky } from './_invert-cholesky.ts';

const SIZE = 40;

function multiply(left: Float64Array, right: Float64Array, transposesRight = false): Float64Array {
  return new Float64Array(SIZE * SIZE).map((_, index) => {
    const [row, column] = [Math.floor(index / SIZE), index % SIZE];
    let sum = 0;
    for (let at = 0; at < SIZE; at++)
      sum += left[row * SIZE + at] * (transposesRight ? right[column * SIZE + at] : right[at * SIZE + column]);
    return sum;
  });
}

function expectClose(actual: Float64Array, expected: Float64Array): void {
  actual.forEach((value, index) => expect(value).toBeCloseTo(expected[index], 9));
}

it('gives a triangle whose square is the matrix, and its inverse', async () => {
  const some = Float64Array.from(createRandomStream(1, 'matrix').normal(SIZE * SIZE));
  const matrix = multiply(some, some, true);
  for (let at = 0; at < SIZE; at++) matrix[at * SIZE + at] += 1;
  const { factor, inverse } = (await invertCholesky(matrix, SIZE, createTurn()))!;
  expectClose(multiply(factor, factor, true), matrix);
  const identity = new Float64Array(SIZE * SIZE).map((_, index) => (index % (SIZE + 1) === 0 ? 1 : 0));
  expectClose(multiply(factor, inverse), identity);
  const above = (_: number, index: number): boolean => index % SIZE > Math.floor(index / SIZE);
  for (const triangle of [factor, inverse]) expect(triangle.filter(above).every((value) => value === 0)).toBe(true);
});

it.each([
  ['indefinite', [1, 2, 2, 1]],
  ['singular', [1, 1, 1, 1]],
  ['no number', [NaN, 0, 0, 1]],
])('refuses what is %s', async (_, values) => {
  expect(await invertCholesky(Float64Array.from(values), 2, createTurn())).toBeUndefined();
});
