import { expect, test } from 'vitest';
import { solveColumns } from './_solve-columns.ts';

/** Symmetric and positive definite. */
const matrix = [
  [4, 1, 0],
  [1, 3, -1],
  [0, -1, 5],
];
const columns = 2;

/** The matrix times a kernel, each of whose columns is a vector. */
const multiply = async (kernel: Float64Array): Promise<Float64Array> =>
  kernel.map((_, index) =>
    matrix[Math.floor(index / columns)].reduce(
      (sum, value, row) => sum + value * kernel[row * columns + (index % columns)],
      0,
    ),
  );

const solution = Float64Array.of(1, -2, 0.5, 0, 3, 7);
const diagonal = solution.map((_, index) => matrix[Math.floor(index / columns)][Math.floor(index / columns)]);

test('solves each column by itself in as many iterations as there are rows', async () => {
  const right = await multiply(solution);
  const solved = await solveColumns({ multiply, diagonal, right, columns, iterations: 3, leastGain: 0 });
  expect(Array.from(solved!)).toEqual(Array.from(solution, (value) => expect.closeTo(value, 10) as number));
});

test('leaves a column at zero that is zero', async () => {
  const right = (await multiply(solution)).map((value, index) => (index % columns === 0 ? 0 : value));
  const solved = await solveColumns({ multiply, diagonal, right, columns, iterations: 3, leastGain: 0 });
  const expected = solution.map((value, index) => (index % columns === 0 ? 0 : value));
  expect(Array.from(solved!)).toEqual(Array.from(expected, (value) => expect.closeTo(value, 10) as number));
});

test('solves nothing where nothing is to be gained', async () => {
  const right = new Float64Array(solution.length);
  expect(await solveColumns({ multiply, diagonal, right, columns, iterations: 3, leastGain: 0 })).toBeUndefined();
});
