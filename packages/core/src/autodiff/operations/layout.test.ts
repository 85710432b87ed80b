import { createCpuBackend } from '@dafl/backend-cpu';
import { expectClose } from '@dafl/conformance';
import { afterEach, describe, expect, it } from 'vitest';
import { compareGradients, drawArgument } from '../../_testing/compare-gradients.ts';
import { Tape, type Value } from '../tape.ts';
import { concat, pad, reshape, slice, transpose } from './layout.ts';

const backend = createCpuBackend({ precision: 'float64' });
afterEach(() => expect(backend.memory().tensors).toBe(0));

describe('layout operations, by finite differences', () => {
  const operations: [string, number[], (tape: Tape, value: Value) => Value][] = [
    ['reshape', [2, 3, 2], (tape, value) => reshape(tape, value, [3, 4])],
    ['reshape to a scalar', [1, 1], (tape, value) => reshape(tape, value, [])],
    ['transpose of a matrix', [2, 3], (tape, value) => transpose(tape, value, [1, 0])],
    // Its own inverse it is not: a derivative that permuted forward again would be found out.
    ['transpose of a cycle', [2, 3, 4, 1], (tape, value) => transpose(tape, value, [2, 0, 3, 1])],
    [
      'pad',
      [2, 3],
      (tape, value) =>
        pad(tape, value, [
          [1, 0],
          [2, 3],
        ]),
    ],
    ['slice', [4, 3, 2], (tape, value) => slice(tape, value, [1, 0, 1], [2, 3, 1])],
  ];
  it.each(operations)('%s', async (_, shape, operation) => {
    const pairs = await compareGradients(backend, [drawArgument(shape)], (tape, [value]) => operation(tape, value));
    for (const { analytic, numeric } of pairs) expectClose(analytic, numeric, { absolute: 1e-9, relative: 1e-7 });
  });

  it.each([
    [
      'rows',
      0,
      [
        [1, 3],
        [2, 3],
        [3, 3],
      ],
    ],
    [
      'columns',
      1,
      [
        [2, 1],
        [2, 3],
      ],
    ],
    [
      'channels',
      3,
      [
        [1, 2, 2, 1],
        [1, 2, 2, 3],
      ],
    ],
    ['one alone', 0, [[2, 2]]],
  ] as const)('concat of %s', async (_, axis, shapes) => {
    const args = shapes.map((shape, seed) => drawArgument(shape, { seed }));
    const pairs = await compareGradients(backend, args, (tape, values) => concat(tape, values, axis));
    for (const { analytic, numeric } of pairs) expectClose(analytic, numeric, { absolute: 1e-9, relative: 1e-7 });
  });

  it('concat of a value with itself and with a given one', async () => {
    const pairs = await compareGradients(backend, [drawArgument([2, 2])], (tape, [value]) =>
      concat(tape, [value, tape.own(backend.fill([2, 1], 1)), value], 1),
    );
    for (const { analytic, numeric } of pairs) expectClose(analytic, numeric, { absolute: 1e-9, relative: 1e-7 });
  });
});

describe('reshape', () => {
  it('refuses a shape of another size', () => {
    const tape = new Tape(backend);
    const value = tape.own(backend.fill([2, 3], 1));
    expect(() => reshape(tape, value, [4])).toThrow(
      "Cannot compute reshape as 'shape' must hold the 6 elements of [2, 3]: current shape is [4]",
    );
    tape.dispose();
  });
});
