import type { ReduceOperation, Shape } from '@dafl/core';
import type { Suite } from '../_suite.ts';
import { floats, integers, stepped, uniform } from '../_values.ts';

const operations: readonly ReduceOperation[] = ['sum', 'mean', 'max'];
const exactly = { absolute: 0, relative: 0 };

/** reduce, argMax and oneHot. */
export function declareReductionTests({ test }: Suite): void {
  for (const operation of operations) {
    for (const shape of [
      [],
      [7],
      [1],
      [3, 17],
      [5, 1],
      [2, 3, 5],
      [4, 1, 16],
      [2, 3, 4, 5],
      [3, 2, 6, 17],
      [2, 3, 1, 4, 2],
      [2, 3, 2, 2, 1, 3],
    ]) {
      test(`reduce ${operation}: [${shape.join(', ')}] over every set of axes`, async (bench) => {
        for (const axes of subsetsOf(shape.length)) {
          for (const keepsDimensions of [false, true]) {
            await bench.agree([uniform(shape)], (backend, [x]) => backend.reduce(operation, x, axes, keepsDimensions));
          }
        }
      });
    }

    const largeCases: readonly (readonly [shape: Shape, axes: readonly number[]])[] = [
      [[1100003], [0]],
      [[1031, 1009], [0]],
      [[1031, 1009], [1]],
      [
        [1031, 1009],
        [0, 1],
      ],
      [
        [64, 32, 32, 17],
        [0, 1, 2],
      ],
      [
        [64, 32, 32, 17],
        [1, 2],
      ],
      [
        [64, 32, 32, 17],
        [0, 3],
      ],
      [[200000, 6], [1]],
      [[200000, 6], [0]],
    ];
    // A mean is a sum divided: a few of them show that.
    for (const [shape, axes] of operation === 'mean' ? largeCases.slice(3, 5) : largeCases) {
      test(`reduce ${operation}: large, [${shape.join(', ')}] over [${axes.join(', ')}]`, async (bench) => {
        // Positive values, so that the sum of a million grows far beyond each term: one running float32 sum would lose
        // the digits that batch statistics need.
        const input = uniform(shape, { from: 0.5, to: 1.5 });
        await bench.agree([input], (backend, [x]) => backend.reduce(operation, x, axes, false));
      });
    }

    test(`reduce ${operation}: empty axes`, async (bench) => {
      for (const [shape, axes] of [
        [[0], [0]],
        [[0, 3], [0]],
        [[0, 3], [1]],
        [[2, 0], [1]],
        [
          [2, 0, 3],
          [0, 1],
        ],
        [
          [2, 0],
          [0, 1],
        ],
      ]) {
        await bench.agree([floats([], shape)], (backend, [x]) => backend.reduce(operation, x, axes, false));
      }
    });

    test(`reduce ${operation}: NaN`, async (bench) => {
      for (let position = 0; position < 19; position += 3) {
        const { data, shape } = uniform([3, 19]);
        data[19 + position] = Number.NaN;
        await bench.agree([{ data, shape }], (backend, [x]) => [
          backend.reduce(operation, x, [0], false),
          backend.reduce(operation, x, [1], false),
          backend.reduce(operation, x, [0, 1], false),
        ]);
      }
    });

    test(`reduce ${operation}: infinities`, async (bench) => {
      const input = floats([Infinity, 1, -Infinity, 1, Infinity, -Infinity, -Infinity, -Infinity, 1, 2], [5, 2]);
      await bench.agree([input], (backend, [x]) => [
        backend.reduce(operation, x, [1], false),
        backend.reduce(operation, x, [0], false),
      ]);
    });
  }

  test('reduce max: all negative', async (bench) => {
    await bench.agree([uniform([17, 19], { from: -5, to: -1 })], (backend, [x]) => [
      backend.reduce('max', x, [0], false),
      backend.reduce('max', x, [1], false),
      backend.reduce('max', x, [0, 1], true),
    ]);
  });

  test('argMax', async (bench) => {
    for (const shape of [[1], [7], [3, 1], [5, 10], [4, 17], [2, 3, 5], [2, 1, 3, 16], [0, 4], [9, 1000]]) {
      await bench.agree([uniform(shape)], (backend, [x]) => backend.argMax(x));
      await bench.agree([uniform(shape, { from: -9, to: -8 })], (backend, [x]) => backend.argMax(x));
    }
  });

  test('argMax: the first of equals', async (bench) => {
    await bench.give([floats([1, 3, 3, 2, 2, 2, 0, 0, 5], [3, 3])], (backend, [x]) => backend.argMax(x), [
      integers([1, 0, 2]),
    ]);
    await bench.agree([stepped([50, 33], { from: 0, to: 2 })], (backend, [x]) => backend.argMax(x));
    await bench.give([floats(new Array<number>(40).fill(0), [2, 20])], (backend, [x]) => backend.argMax(x), [
      integers([0, 0]),
    ]);
  });

  test('argMax: infinities', async (bench) => {
    await bench.give(
      [floats([-Infinity, -Infinity, -Infinity, -Infinity, -1, 0, 1, Infinity, Infinity], [3, 3])],
      (backend, [x]) => backend.argMax(x),
      [integers([0, 2, 1])],
    );
  });

  test('argMax: large', async (bench) => {
    await bench.agree([uniform([110000, 10])], (backend, [x]) => backend.argMax(x));
  });

  test('oneHot', async (bench) => {
    await bench.give(
      [integers([2, 0, 1])],
      (backend, [x]) => backend.oneHot(x, 3),
      [floats([0, 0, 1, 1, 0, 0, 0, 1, 0], [3, 3])],
      exactly,
    );
    await bench.give([integers([1], [])], (backend, [x]) => backend.oneHot(x, 4), [floats([0, 1, 0, 0], [4])], exactly);
    await bench.give([integers([], [0])], (backend, [x]) => backend.oneHot(x, 4), [floats([], [0, 4])], exactly);
    await bench.agree([integers([0, 5, 3, 2, 1, 4], [2, 3])], (backend, [x]) => backend.oneHot(x, 6));
    await bench.agree([integers(Array.from({ length: 3000 }, (_, i) => (i * 7) % 100))], (backend, [x]) =>
      backend.oneHot(x, 100),
    );
  });

  test('oneHot: out of range', async (bench) => {
    await bench.give(
      [integers([1, -1, 3, 2 ** 31 - 1, -(2 ** 31), 0, -1], [7])],
      (backend, [x]) => backend.oneHot(x, 3),
      [floats([0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0], [7, 3])],
      exactly,
    );
  });

  test('oneHot of argMax', async (bench) => {
    await bench.agree([uniform([12, 10])], (backend, [x]) => {
      const indices = backend.argMax(x);
      const output = backend.oneHot(indices, 10);
      backend.dispose(indices);
      return output;
    });
  });

  test('determinism', async (bench) => {
    await bench.repeat([uniform([1100003])], (backend, [x]) => backend.reduce('sum', x, [0], false));
    await bench.repeat([uniform([64, 32, 32, 17])], (backend, [x]) => backend.reduce('mean', x, [0, 1, 2], false));
  });
}

/** All ascending selections of the axes 0..rank-1, the empty one included. */
function subsetsOf(rank: number): number[][] {
  return Array.from({ length: 2 ** rank }, (_, bits) =>
    Array.from({ length: rank }, (_, axis) => axis).filter((axis) => ((bits >> axis) & 1) === 1),
  );
}
