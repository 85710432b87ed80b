import type { BinaryOperation, Shape, UnaryOperation } from '@dafl/core';
import type { Suite } from '../_suite.ts';
import { floats, stepped, uniform } from '../_values.ts';

const exactly = { absolute: 0, relative: 0 };

/** Enough elements that a backend which splits work over threads or blocks does so. */
const largeShape: Shape = [1031, 1009];

/** For what is tested on each operation: a quarter of that, for the suite's speed. */
const mediumShape: Shape = [517, 509];

const unaryRanges: Readonly<Record<UnaryOperation, { from: number; to: number }>> = {
  negate: { from: -5, to: 5 },
  abs: { from: -5, to: 5 },
  sign: { from: -5, to: 5 },
  exp: { from: -20, to: 10 },
  log: { from: 0.001, to: 50 },
  sqrt: { from: 0, to: 50 },
  square: { from: -5, to: 5 },
  reciprocal: { from: 0.1, to: 5 },
  tanh: { from: -6, to: 6 },
  sigmoid: { from: -20, to: 20 },
  erf: { from: -4, to: 4 },
  step: { from: -5, to: 5 },
};

/** Special arguments and what IEEE 754 and the contract make of them. */
const specialValues: Readonly<Record<UnaryOperation, readonly (readonly [input: number, output: number])[]>> = {
  negate: [
    [Infinity, -Infinity],
    [-Infinity, Infinity],
    [0, 0],
  ],
  abs: [
    [Infinity, Infinity],
    [-Infinity, Infinity],
    [-0, 0],
  ],
  sign: [
    [Infinity, 1],
    [-Infinity, -1],
    [0, 0],
    [-0, 0],
    [2 ** -120, 1],
    [-(2 ** -120), -1],
  ],
  exp: [
    [Infinity, Infinity],
    [-Infinity, 0],
    [0, 1],
    [-200, 0],
    [1000, Infinity],
  ],
  log: [
    [Infinity, Infinity],
    [0, -Infinity],
    [-1, Number.NaN],
    [-Infinity, Number.NaN],
    [1, 0],
  ],
  sqrt: [
    [Infinity, Infinity],
    [0, 0],
    [-1, Number.NaN],
  ],
  square: [
    [Infinity, Infinity],
    [-Infinity, Infinity],
  ],
  reciprocal: [
    [Infinity, 0],
    [-Infinity, 0],
    [0, Infinity],
    [-0, -Infinity],
  ],
  tanh: [
    [Infinity, 1],
    [-Infinity, -1],
    [100, 1],
    [-100, -1],
    [0, 0],
  ],
  sigmoid: [
    [Infinity, 1],
    [-Infinity, 0],
    [200, 1],
    [-200, 0],
    [1000, 1],
    [-1000, 0],
    [0, 0.5],
  ],
  erf: [
    [Infinity, 1],
    [-Infinity, -1],
    [10, 1],
    [-10, -1],
    [0, 0],
  ],
  step: [
    [Infinity, 1],
    [-Infinity, 0],
    [0, 0],
    [-0, 0],
    [2 ** -120, 1],
  ],
};

/** `step` compares, and a comparison with NaN is false. */
const unaryOfNan: Partial<Record<UnaryOperation, number>> = { step: 0 };

const broadcasts: readonly (readonly [left: Shape, right: Shape])[] = [
  [[], []],
  [[5], []],
  [[1], [5]],
  [[5], [5]],
  [[3, 17], []],
  [[3, 17], [17]],
  [
    [3, 17],
    [1, 17],
  ],
  [
    [3, 17],
    [3, 1],
  ],
  [
    [3, 1],
    [1, 17],
  ],
  [[3, 1], [17]],
  [
    [3, 17],
    [1, 1],
  ],
  [[2, 3, 5], [5]],
  [
    [2, 3, 5],
    [3, 1],
  ],
  [
    [2, 3, 5],
    [3, 5],
  ],
  [
    [2, 3, 5],
    [2, 1, 5],
  ],
  [
    [2, 3, 5],
    [2, 1, 1],
  ],
  [
    [2, 1, 5],
    [1, 3, 1],
  ],
  [
    [2, 1, 5],
    [3, 1],
  ],
  [[2, 3, 4, 6], [6]],
  [
    [2, 3, 4, 6],
    [1, 1, 1, 6],
  ],
  [
    [2, 3, 4, 6],
    [2, 1, 1, 6],
  ],
  [
    [2, 3, 4, 6],
    [1, 3, 4, 1],
  ],
  [
    [2, 3, 4, 6],
    [2, 3, 1, 1],
  ],
  [
    [2, 3, 4, 6],
    [3, 1, 6],
  ],
  [
    [2, 1, 4, 1],
    [1, 3, 1, 6],
  ],
  [
    [2, 3, 1, 2, 3],
    [3, 4, 1, 1],
  ],
  [
    [2, 1, 3, 1, 2, 1],
    [1, 2, 1, 3, 1, 2],
  ],
  [[2, 2, 3, 1, 2, 3], [3]],
  [[2, 2, 3, 1, 2, 3], []],
  [[1, 1, 1, 1, 1, 1], [4]],
  [[0], []],
  [[0, 3], [3]],
  [
    [0, 3],
    [1, 1],
  ],
  [
    [2, 0],
    [2, 1],
  ],
  [
    [2, 1, 3],
    [0, 1],
  ],
];

const binaryOperations: readonly BinaryOperation[] = [
  'add',
  'subtract',
  'multiply',
  'divide',
  'maximum',
  'minimum',
  'greater',
  'equal',
];

/** unary, binary, affine, leakyRelu and its gradient. */
export function declareElementWiseTests({ test }: Suite): void {
  for (const operation of Object.keys(unaryRanges) as UnaryOperation[]) {
    test(`unary ${operation}`, async (bench) => {
      for (const shape of [[], [1], [7], [3, 5], [2, 3, 4, 17], [0, 3], [1, 2, 1, 3, 2, 2]]) {
        await bench.agree([uniform(shape, unaryRanges[operation])], (backend, [x]) => backend.unary(operation, x));
      }
    });

    test(`unary ${operation}: large`, async (bench) => {
      await bench.agree([uniform(mediumShape, unaryRanges[operation])], (backend, [x]) => backend.unary(operation, x));
    });

    test(`unary ${operation}: special values`, async (bench) => {
      const pairs = specialValues[operation];
      // Seventeen times, so that a vectorised loop meets them as well as its scalar remainder.
      const inputs = Array.from({ length: 17 }, () => pairs.map(([input]) => input)).flat();
      const outputs = Array.from({ length: 17 }, () => pairs.map(([, output]) => output)).flat();
      const input = floats(inputs.map(Math.fround));
      // exp 1000 and its like overflow float32 and float64 alike; exp -200 is below float32's least number.
      const tolerance = { absolute: 1e-6, relative: 0 };
      await bench.give([input], (backend, [x]) => backend.unary(operation, x), [floats(outputs)], tolerance);
    });

    test(`unary ${operation}: NaN`, async (bench) => {
      const input = floats(new Array<number>(17).fill(Number.NaN));
      const output = floats(new Array<number>(17).fill(unaryOfNan[operation] ?? Number.NaN));
      await bench.give([input], (backend, [x]) => backend.unary(operation, x), [output], exactly);
    });
  }

  test('unary erf: within 1e-6 everywhere', async (bench) => {
    const input = uniform([20000], { from: -6, to: 6 });
    await bench.agree([input], (backend, [x]) => backend.unary('erf', x), {
      tolerance: { absolute: 1e-6, relative: 0 },
    });
  });

  test('unary tanh and erf: keep small arguments', async (bench) => {
    const input = uniform([1000], { from: -1e-3, to: 1e-3 });
    await bench.agree([input], (backend, [x]) => backend.unary('tanh', x), {
      // A share of the largest value, 1e-3: what a formula like (e - 1) / (e + 1) loses to cancellation is larger.
      tolerance: { absolute: 1e-4, relative: 1e-4 },
    });
    await bench.agree([input], (backend, [x]) => backend.unary('erf', x), {
      // The contract's absolute 1e-6 is 1e-3 of the largest value here.
      tolerance: { absolute: 1e-3, relative: 0 },
    });
  });

  for (const operation of binaryOperations) {
    for (const [left, right] of broadcasts) {
      test(`binary ${operation}: [${left.join(', ')}] with [${right.join(', ')}]`, async (bench) => {
        // Comparisons need ties, divisors must not be 0.
        const isComparison = operation === 'greater' || operation === 'equal';
        const draw = (shape: Shape, seed: number): ReturnType<typeof uniform> =>
          isComparison ? stepped(shape, { from: -1, to: 1, seed }) : uniform(shape, { from: 0.25, to: 2, seed });
        await bench.agree([draw(left, 1), draw(right, 2)], (backend, [x, y]) => backend.binary(operation, x, y));
        await bench.agree([draw(right, 3), draw(left, 4)], (backend, [x, y]) => backend.binary(operation, x, y));
      });
    }

    test(`binary ${operation}: a tensor with itself`, async (bench) => {
      await bench.agree([uniform([33], { from: 0.5, to: 2 })], (backend, [x]) => backend.binary(operation, x, x));
    });

    test(`binary ${operation}: large`, async (bench) => {
      const inputs = [stepped(mediumShape, { from: -8, to: 8 }), stepped(mediumShape, { from: 1, to: 8, seed: 2 })];
      await bench.agree(inputs, (backend, [x, y]) => backend.binary(operation, x, y));
    });
  }

  // One operation for each pattern: that every operation broadcasts is shown above.
  const largeBroadcasts: readonly (readonly [BinaryOperation, left: Shape, right: Shape])[] = [
    ['subtract', largeShape, largeShape],
    ['subtract', largeShape, [largeShape[1]]],
    ['subtract', [largeShape[1]], largeShape],
    ['divide', largeShape, [largeShape[0], 1]],
    ['greater', largeShape, []],
    ['subtract', [largeShape[0], 1], [1, largeShape[1]]],
    ['add', [16, 32, 32, 66], [66]],
    ['multiply', [16, 32, 32, 66], [16, 1, 1, 66]],
  ];
  for (const [operation, left, right] of largeBroadcasts) {
    test(`binary ${operation}: large, [${left.join(', ')}] with [${right.join(', ')}]`, async (bench) => {
      const inputs = [stepped(left, { from: 1, to: 8 }), stepped(right, { from: 1, to: 8, seed: 2 })];
      await bench.agree(inputs, (backend, [x, y]) => backend.binary(operation, x, y));
    });
  }

  const nan = Number.NaN;
  const specialPairs: Readonly<
    Record<BinaryOperation, readonly (readonly [left: number, right: number, output: number])[]>
  > = {
    add: [
      [nan, 1, nan],
      [1, nan, nan],
      [Infinity, 1, Infinity],
      [Infinity, -Infinity, nan],
    ],
    subtract: [
      [nan, 1, nan],
      [1, nan, nan],
      [Infinity, Infinity, nan],
      [1, Infinity, -Infinity],
    ],
    multiply: [
      [nan, 0, nan],
      [0, nan, nan],
      [0, Infinity, nan],
      [-2, Infinity, -Infinity],
    ],
    divide: [
      [1, 0, Infinity],
      [-1, 0, -Infinity],
      [0, 0, nan],
      [1, Infinity, 0],
      [nan, 1, nan],
      [1, nan, nan],
    ],
    maximum: [
      [nan, 1, nan],
      [1, nan, nan],
      [nan, nan, nan],
      [Infinity, 1, Infinity],
      [-Infinity, 1, 1],
    ],
    minimum: [
      [nan, 1, nan],
      [1, nan, nan],
      [nan, nan, nan],
      [Infinity, 1, 1],
      [-Infinity, 1, -Infinity],
    ],
    greater: [
      [nan, 1, 0],
      [1, nan, 0],
      [Infinity, 1, 1],
      [1, 1, 0],
      [1, -Infinity, 1],
      [0, -0, 0],
    ],
    equal: [
      [nan, nan, 0],
      [1, nan, 0],
      [Infinity, Infinity, 1],
      [Infinity, -Infinity, 0],
      [0, -0, 1],
    ],
  };
  for (const operation of binaryOperations) {
    test(`binary ${operation}: NaN and infinities`, async (bench) => {
      const rows = Array.from({ length: 17 }, () => specialPairs[operation]).flat();
      await bench.give(
        [floats(rows.map(([left]) => left)), floats(rows.map(([, right]) => right))],
        (backend, [x, y]) => backend.binary(operation, x, y),
        [floats(rows.map(([, , output]) => output))],
        exactly,
      );
    });
  }

  test('affine', async (bench) => {
    for (const shape of [[], [7], [3, 17], [0], [2, 3, 4, 5]]) {
      for (const [factor, summand] of [
        [2, 0],
        [-0.5, 3],
        [0, 1.25],
        [1, -1],
      ]) {
        await bench.agree([uniform(shape)], (backend, [x]) => backend.affine(x, factor, summand));
      }
    }
    await bench.agree([uniform(largeShape)], (backend, [x]) => backend.affine(x, -0.5, 3));
  });

  test('affine: NaN and infinities', async (bench) => {
    const input = floats([nan, Infinity, -Infinity, 1]);
    await bench.agree([input], (backend, [x]) => backend.affine(x, 0, 1), { tolerance: exactly });
    await bench.agree([input], (backend, [x]) => backend.affine(x, -2, 1), { tolerance: exactly });
    await bench.agree([input], (backend, [x]) => backend.affine(x, 1, Infinity), { tolerance: exactly });
  });

  for (const slope of [0, 0.01, 0.2, 1]) {
    test(`leakyRelu: slope ${slope}`, async (bench) => {
      for (const shape of [[], [7], [3, 17], [0], [2, 3, 4, 5]]) {
        await bench.agree([stepped(shape, { from: -3, to: 3 })], (backend, [x]) => backend.leakyRelu(x, slope));
        await bench.agree([uniform(shape)], (backend, [x]) => backend.leakyRelu(x, slope));
      }
      await bench.agree([uniform(mediumShape)], (backend, [x]) => backend.leakyRelu(x, slope));
    });

    test(`leakyReluGradient: slope ${slope}`, async (bench) => {
      for (const shape of [[], [7], [3, 17], [0], [2, 3, 4, 5], mediumShape]) {
        const inputs = [uniform(shape, { seed: 2 }), stepped(shape, { from: -2, to: 2 })];
        await bench.agree(inputs, (backend, [outputGradient, x]) => {
          const output = backend.leakyRelu(x, slope);
          const inputGradient = backend.leakyReluGradient(outputGradient, output, slope);
          backend.dispose(output);
          return inputGradient;
        });
      }
    });
  }

  test('unary, leakyRelu and its gradient: over a million elements', async (bench) => {
    await bench.agree([uniform(largeShape)], (backend, [x]) => backend.unary('tanh', x));
    await bench.agree([uniform(largeShape)], (backend, [x]) => backend.leakyRelu(x, 0.2));
    await bench.agree([uniform(largeShape, { seed: 2 }), uniform(largeShape)], (backend, [gradient, output]) =>
      backend.leakyReluGradient(gradient, output, 0.2),
    );
  });

  test('leakyRelu: NaN and infinities', async (bench) => {
    const input = floats([nan, Infinity, nan, 1, -1, nan, nan, nan, nan]);
    await bench.agree([input], (backend, [x]) => backend.leakyRelu(x, 0.5), { tolerance: exactly });
    await bench.agree([input], (backend, [x]) => backend.leakyRelu(x, 0), { tolerance: exactly });
    await bench.agree([floats([-Infinity])], (backend, [x]) => backend.leakyRelu(x, 0.5), { tolerance: exactly });
  });

  test('leakyReluGradient: NaN in the gradient', async (bench) => {
    const inputs = [floats([nan, nan, 1, 1]), floats([1, -1, 1, -1])];
    await bench.agree(inputs, (backend, [g, y]) => backend.leakyReluGradient(g, y, 0.5), { tolerance: exactly });
  });
}
