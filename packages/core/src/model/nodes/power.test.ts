import { createCpuBackend } from '@dafl/backend-cpu';
import { expect, it } from 'vitest';
import { expectNodes } from '../../_testing/node-runner.ts';
import { square } from '../../autodiff/operations/element-wise.ts';
import { sum } from '../../autodiff/operations/reduction.ts';
import { withTape } from '../../autodiff/with-tape.ts';
import { raise } from './power.ts';

it.each([1, 2, 3, 7, 0.5, -1, -2, -0.5, 1.7])('raises to %d', async (exponent) => {
  await expectNodes([{ kind: 'power', name: 'out', inputs: ['input'], exponent }], {
    inputShape: [5],
    low: 0.4,
    high: 1.5,
    expected: (input) => input.map((x) => x ** exponent),
  });
});

it('raises what is below 0 to whole numbers', async () => {
  await expectNodes([{ kind: 'power', name: 'out', inputs: ['input'], exponent: 3 }], {
    inputShape: [5],
    expected: (input) => input.map((x) => x ** 3),
  });
});

it.each([1 / 2, 1 / 3, 0.75])('a root of squares, by %d, has no slope where all are 0', async (exponent) => {
  const backend = createCpuBackend();
  const slopes = await withTape(backend, (tape) => {
    const leaf = tape.leaf(backend.tensor(Float32Array.of(0, 0, 1, 2), [2, 2]));
    const [gradient] = tape.gradients(sum(tape, raise(tape, sum(tape, square(tape, leaf), [1]), exponent)), [leaf]);
    return backend.read(gradient);
  });
  const slope = exponent * 5 ** (exponent - 1);
  expect([...slopes]).toEqual([0, 0, expect.closeTo(2 * slope, 5), expect.closeTo(4 * slope, 5)]);
});
