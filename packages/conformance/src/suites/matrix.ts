import type { Suite } from '../_suite.ts';
import { floats, uniform } from '../_values.ts';

/** matMul. */
export function declareMatrixTests({ test }: Suite): void {
  const sizes: readonly (readonly [rows: number, depth: number, columns: number])[] = [
    [1, 1, 1],
    [1, 7, 1],
    [5, 1, 7],
    [1, 1, 9],
    [3, 0, 4],
    [0, 3, 4],
    [3, 4, 0],
    [7, 5, 3],
    [8, 8, 8],
    [16, 16, 16],
    [17, 33, 9],
    [15, 31, 63],
    [1, 400, 120],
    [33, 120, 84],
    [64, 84, 10],
    [257, 3, 5],
    [5, 3, 257],
    [4, 1025, 6],
    [300, 517, 129],
    [512, 100, 130],
  ];
  for (const [rows, depth, columns] of sizes) {
    for (const transposesLeft of [false, true]) {
      for (const transposesRight of [false, true]) {
        const leftShape = transposesLeft ? [depth, rows] : [rows, depth];
        const rightShape = transposesRight ? [columns, depth] : [depth, columns];
        const leftName = `[${leftShape.join(', ')}]${transposesLeft ? ' transposed' : ''}`;
        const rightName = `[${rightShape.join(', ')}]${transposesRight ? ' transposed' : ''}`;
        test(`matMul: ${leftName} by ${rightName}`, async (bench) => {
          await bench.agree([uniform(leftShape), uniform(rightShape, { seed: 2 })], (backend, [left, right]) =>
            backend.matMul(left, right, transposesLeft, transposesRight),
          );
        });
      }
    }
  }

  test('matMul: a tensor with itself', async (bench) => {
    await bench.agree([uniform([19, 7])], (backend, [x]) => [
      backend.matMul(x, x, true, false),
      backend.matMul(x, x, false, true),
    ]);
  });

  test('matMul: NaN and infinities reach their rows and columns alone', async (bench) => {
    const left = uniform([9, 18]);
    left.data[2 * 18 + 17] = Number.NaN;
    left.data[5 * 18] = Infinity;
    const right = uniform([18, 11], { seed: 2 });
    right.data[3 * 11 + 10] = Number.NaN;
    // 0 x Infinity is NaN: zeros may not be passed over.
    right.data.fill(0, 0, 5);
    await bench.agree([left, right], (backend, [x, y]) => backend.matMul(x, y, false, false));
    await bench.give(
      [floats([0, 0], [1, 2]), floats([Infinity, 1], [2, 1])],
      (backend, [x, y]) => backend.matMul(x, y, false, false),
      [floats([Number.NaN], [1, 1])],
    );
  });

  test('determinism', async (bench) => {
    for (const [transposesLeft, transposesRight] of [
      [false, false],
      [true, true],
    ]) {
      await bench.repeat([uniform([257, 257]), uniform([257, 257], { seed: 2 })], (backend, [left, right]) =>
        backend.matMul(left, right, transposesLeft, transposesRight),
      );
    }
  });
}
