import type { Shape, Size2d } from '@dafl/core';
import type { Suite } from '../_suite.ts';
import { floats, uniform } from '../_values.ts';

const cases: readonly (readonly [input: Shape, factors: Size2d])[] = [
  [
    [1, 1, 1, 1],
    [2, 2],
  ],
  [
    [1, 3, 2, 1],
    [2, 2],
  ],
  [
    [2, 3, 4, 5],
    [2, 2],
  ],
  [
    [3, 4, 4, 16],
    [2, 2],
  ],
  [
    [3, 2, 3, 17],
    [2, 2],
  ],
  [
    [2, 3, 2, 3],
    [1, 1],
  ],
  [
    [2, 3, 2, 3],
    [3, 1],
  ],
  [
    [2, 3, 2, 6],
    [1, 4],
  ],
  [
    [2, 2, 3, 60],
    [3, 2],
  ],
  [
    [5, 1, 1, 120],
    [4, 4],
  ],
  [
    [0, 2, 2, 3],
    [2, 2],
  ],
  [
    [16, 16, 16, 65],
    [2, 2],
  ],
];

/** upsampleNearest2d and its gradient. */
export function declareUpsamplingTests({ test }: Suite): void {
  for (const [input, factors] of cases) {
    const name = `[${input.join(', ')}] by ${factors[0]} and ${factors[1]}`;
    const output = [input[0], input[1] * factors[0], input[2] * factors[1], input[3]];

    test(`upsampleNearest2d: ${name}`, async (bench) => {
      await bench.agree([uniform(input)], (backend, [x]) => backend.upsampleNearest2d(x, factors), {
        tolerance: { absolute: 0, relative: 0 },
      });
    });

    test(`upsampleNearest2dGradient: ${name}`, async (bench) => {
      await bench.agree([uniform(output)], (backend, [gradient]) =>
        backend.upsampleNearest2dGradient(gradient, factors),
      );
    });
  }

  test('upsampleNearest2d and gradient: NaN and infinities', async (bench) => {
    const x = floats([Number.NaN, 1, Infinity, -Infinity, 2, 3, 4, 5], [2, 2, 2, 1]);
    await bench.agree([x], (backend, [input]) => backend.upsampleNearest2d(input, [2, 2]));
    await bench.agree([x], (backend, [gradient]) => backend.upsampleNearest2dGradient(gradient, [2, 2]));
  });

  test('determinism', async (bench) => {
    await bench.repeat([uniform([16, 32, 32, 65])], (backend, [gradient]) =>
      backend.upsampleNearest2dGradient(gradient, [2, 2]),
    );
  });
}
