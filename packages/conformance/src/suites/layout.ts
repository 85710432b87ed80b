import type { Shape } from '@dafl/core';
import type { Suite } from '../_suite.ts';
import { floats, integers, range, uniform, type Values } from '../_values.ts';

/** Moving elements changes none of them. */
const exactly = { absolute: 0, relative: 0 };

/** broadcast; transpose, pad, slice and concat, of floats and of int32. */
export function declareLayoutTests({ test }: Suite): void {
  const transposed: readonly (readonly [shape: Shape, permutations: readonly (readonly number[])[]])[] = [
    [[], permutationsOf(0)],
    [[5], permutationsOf(1)],
    [[3, 5], permutationsOf(2)],
    [[17, 16], permutationsOf(2)],
    [[2, 3, 5], permutationsOf(3)],
    [[4, 1, 8], permutationsOf(3)],
    [[2, 3, 4, 5], permutationsOf(4)],
    [[3, 8, 4, 6], permutationsOf(4)],
    [[2, 3, 1, 4, 2], permutationsOf(5).filter((_, i) => i % 7 === 0)],
    [[2, 3, 1, 4, 2, 3], permutationsOf(6).filter((_, i) => i % 41 === 0)],
    [[0, 3], permutationsOf(2)],
  ];
  for (const [shape, permutations] of transposed) {
    for (const permutation of permutations) {
      test(`transpose: ${describeShape(shape)} by ${describeShape(permutation)}`, async (bench) => {
        for (const input of [range(shape), range(shape, 'integer')]) {
          await bench.agree([input], (backend, [x]) => backend.transpose(x, permutation), { tolerance: exactly });
        }
      });
    }
  }

  test('transpose: large', async (bench) => {
    for (const [shape, permutation] of [
      [
        [1030, 517],
        [1, 0],
      ],
      [
        [8, 33, 31, 17],
        [0, 3, 1, 2],
      ],
      [
        [8, 17, 33, 31],
        [0, 2, 3, 1],
      ],
      [
        [3, 3, 120, 60],
        [3, 2, 0, 1],
      ],
    ]) {
      await bench.agree([range(shape)], (backend, [x]) => backend.transpose(x, permutation), { tolerance: exactly });
    }
  });

  const broadcasts: readonly (readonly [from: Shape, to: Shape])[] = [
    [[], []],
    [[1], [1]],
    [[1], [300]],
    [
      [7, 1],
      [7, 5],
    ],
    [
      [1, 7],
      [5, 7],
    ],
    [
      [3, 1, 1, 5],
      [3, 7, 6, 5],
    ],
    [
      [2, 4, 1, 1],
      [2, 4, 3, 5],
    ],
    [
      [1, 2, 1, 3, 1, 2],
      [2, 2, 3, 3, 2, 2],
    ],
    [
      [1, 1],
      [0, 4],
    ],
    [
      [64, 1, 1, 33],
      [64, 9, 8, 33],
    ],
  ];
  for (const [from, to] of broadcasts) {
    test(`broadcast: ${describeShape(from)} to ${describeShape(to)}`, async (bench) => {
      await bench.agree([range(from)], (backend, [x]) => backend.broadcast(x, to), { tolerance: exactly });
    });
  }

  const padded: readonly (readonly [shape: Shape, paddings: readonly (readonly [number, number])[]])[] = [
    [[], []],
    [[3], [[2, 1]]],
    [[3], [[0, 0]]],
    [
      [2, 3],
      [
        [1, 0],
        [0, 2],
      ],
    ],
    [
      [2, 3, 4],
      [
        [0, 1],
        [2, 0],
        [1, 1],
      ],
    ],
    [
      [2, 5, 4, 3],
      [
        [0, 0],
        [1, 2],
        [3, 0],
        [0, 0],
      ],
    ],
    [
      [2, 2, 2, 17],
      [
        [1, 1],
        [1, 1],
        [1, 1],
        [1, 1],
      ],
    ],
    [
      [1, 2, 1, 2, 3],
      [
        [1, 0],
        [0, 1],
        [1, 0],
        [0, 0],
        [2, 3],
      ],
    ],
    [
      [2, 1, 2, 2, 1, 3],
      [
        [1, 1],
        [0, 1],
        [1, 0],
        [0, 0],
        [2, 0],
        [0, 3],
      ],
    ],
    [
      [0, 2],
      [
        [1, 2],
        [0, 1],
      ],
    ],
  ];
  for (const [shape, paddings] of padded) {
    test(`pad: ${describeShape(shape)} by ${paddings.map(describeShape).join(' ')}`, async (bench) => {
      for (const value of [0, -1.5, -Infinity, Number.NaN]) {
        await bench.agree([range(shape)], (backend, [x]) => backend.pad(x, paddings, value), { tolerance: exactly });
      }
      for (const value of [0, -7]) {
        await bench.agree([range(shape, 'integer')], (backend, [x]) => backend.pad(x, paddings, value));
      }
    });
  }

  const sliced: readonly (readonly [shape: Shape, begin: readonly number[], size: readonly number[]])[] = [
    [[], [], []],
    [[5], [0], [5]],
    [[5], [4], [1]],
    [[5], [5], [0]],
    [
      [3, 4],
      [1, 0],
      [2, 4],
    ],
    [
      [3, 4],
      [0, 3],
      [3, 1],
    ],
    [
      [3, 4],
      [1, 1],
      [0, 2],
    ],
    [
      [3, 4, 5],
      [2, 1, 3],
      [1, 2, 2],
    ],
    [
      [4, 5, 6, 7],
      [1, 0, 2, 3],
      [2, 5, 1, 4],
    ],
    [
      [8, 3, 3, 17],
      [3, 0, 0, 0],
      [4, 3, 3, 17],
    ],
    [
      [2, 3, 2, 3, 2],
      [1, 1, 0, 2, 0],
      [1, 2, 2, 1, 2],
    ],
    [
      [2, 3, 2, 3, 2, 3],
      [0, 1, 1, 0, 1, 1],
      [2, 2, 1, 3, 1, 2],
    ],
    [
      [1000, 300],
      [100, 7],
      [800, 257],
    ],
  ];
  for (const [shape, begin, size] of sliced) {
    test(`slice: ${describeShape(size)} of ${describeShape(shape)} at ${describeShape(begin)}`, async (bench) => {
      for (const input of [range(shape), range(shape, 'integer')]) {
        await bench.agree([input], (backend, [x]) => backend.slice(x, begin, size), { tolerance: exactly });
      }
    });
  }

  const concatenated: readonly (readonly [axis: number, shapes: readonly Shape[]])[] = [
    [0, [[3]]],
    [0, [[3], [1], [4]]],
    [
      0,
      [
        [2, 3],
        [1, 3],
      ],
    ],
    [
      1,
      [
        [2, 3],
        [2, 4],
        [2, 1],
      ],
    ],
    [
      1,
      [
        [2, 3],
        [2, 0],
        [2, 4],
      ],
    ],
    [
      0,
      [
        [0, 3],
        [2, 3],
      ],
    ],
    [
      1,
      [
        [2, 1, 4],
        [2, 3, 4],
      ],
    ],
    [
      3,
      [
        [2, 3, 3, 16],
        [2, 3, 3, 1],
        [2, 3, 3, 17],
      ],
    ],
    [
      2,
      [
        [2, 3, 1, 4],
        [2, 3, 5, 4],
      ],
    ],
    [
      0,
      [
        [2, 3, 1, 4],
        [5, 3, 1, 4],
      ],
    ],
    [
      3,
      [
        [2, 1, 2, 3, 2],
        [2, 1, 2, 1, 2],
      ],
    ],
    [
      5,
      [
        [2, 1, 2, 1, 2, 3],
        [2, 1, 2, 1, 2, 1],
      ],
    ],
    [
      1,
      [
        [700, 300],
        [700, 517],
      ],
    ],
  ];
  for (const [axis, shapes] of concatenated) {
    test(`concat: ${shapes.map(describeShape).join(' ')} along ${axis}`, async (bench) => {
      const inputs: readonly Values[][] = [
        shapes.map((shape, i) => uniform(shape, { seed: i })),
        shapes.map((shape) => range(shape, 'integer')),
      ];
      for (const input of inputs) {
        await bench.agree(input, (backend, tensors) => backend.concat(tensors, axis), { tolerance: exactly });
      }
    });
  }

  test('concat: a tensor with itself', async (bench) => {
    await bench.give(
      [floats([1, 2], [1, 2])],
      (backend, [x]) => backend.concat([x, x, x], 0),
      [floats([1, 2, 1, 2, 1, 2], [3, 2])],
      exactly,
    );
    await bench.give([integers([1, 2], [2, 1])], (backend, [x]) => backend.concat([x, x], 1), [
      integers([1, 1, 2, 2], [2, 2]),
    ]);
  });

  test('movement keeps NaN, infinities and large integers', async (bench) => {
    const special = floats([Number.NaN, Infinity, -Infinity, -0, 1, 2], [2, 3]);
    const large = integers([2 ** 31 - 1, -(2 ** 31), 2 ** 24 + 1, 1, 2, 3], [2, 3]);
    for (const input of [special, large]) {
      const options = { tolerance: exactly };
      await bench.agree([input], (backend, [x]) => backend.transpose(x, [1, 0]), options);
      await bench.agree([input], (backend, [x]) => backend.slice(x, [0, 1], [2, 2]), options);
      await bench.agree([input], (backend, [x]) => backend.concat([x, x], 1), options);
      await bench.agree(
        [input],
        (backend, [x]) =>
          backend.pad(
            x,
            [
              [1, 0],
              [0, 1],
            ],
            4,
          ),
        options,
      );
    }
  });
}

/** All orders of 0..rank-1. */
function permutationsOf(rank: number): number[][] {
  if (rank === 0) return [[]];
  return permutationsOf(rank - 1).flatMap((shorter) =>
    Array.from({ length: rank }, (_, position) => shorter.toSpliced(position, 0, rank - 1)),
  );
}

function describeShape(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
