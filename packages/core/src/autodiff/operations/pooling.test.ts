import { createCpuBackend } from '@dafl/backend-cpu';
import { expectClose } from '@dafl/conformance';
import { afterEach, describe, expect, it } from 'vitest';
import { compareGradients, drawArgument } from '../../_testing/compare-gradients.ts';
import type { Pool2dOptions, Shape } from '../../backend.ts';
import { Tape, type Value } from '../tape.ts';
import { averagePool2d, maxPool2d, upsampleNearest2d } from './pooling.ts';

const backend = createCpuBackend({ precision: 'float64' });
afterEach(() => expect(backend.memory().tensors).toBe(0));

async function expectGradient(shape: Shape, compute: (tape: Tape, value: Value) => Value): Promise<void> {
  const pairs = await compareGradients(backend, [drawArgument(shape)], (tape, [value]) => compute(tape, value));
  for (const { analytic, numeric } of pairs) expectClose(analytic, numeric, { absolute: 1e-9, relative: 1e-7 });
}

const none = { top: 0, bottom: 0, left: 0, right: 0 };
const geometries: [name: string, input: Shape, options: Pool2dOptions][] = [
  ['2x2 by 2', [2, 4, 4, 2], { windowSize: [2, 2], strides: [2, 2], padding: none }],
  ['2x2 by 2, last row unread', [1, 5, 4, 2], { windowSize: [2, 2], strides: [2, 2], padding: none }],
  [
    'overlapping and padded',
    [1, 5, 5, 2],
    { windowSize: [3, 3], strides: [2, 2], padding: { top: 1, bottom: 1, left: 1, right: 1 } },
  ],
  [
    'unequal in all',
    [1, 4, 5, 1],
    { windowSize: [3, 2], strides: [1, 2], padding: { top: 1, bottom: 0, left: 0, right: 1 } },
  ],
];

describe('pooling, by finite differences', () => {
  it.each(geometries)('maxPool2d: %s', async (_, input, options) => {
    await expectGradient(input, (tape, value) => maxPool2d(tape, value, options));
  });

  it.each(geometries)('averagePool2d: %s', async (_, input, options) => {
    for (const countsPadding of [true, false]) {
      await expectGradient(input, (tape, value) => averagePool2d(tape, value, { ...options, countsPadding }));
    }
  });

  it('upsampleNearest2d', async () => {
    await expectGradient([2, 2, 3, 2], (tape, value) => upsampleNearest2d(tape, value, [2, 2]));
    await expectGradient([1, 2, 2, 1], (tape, value) => upsampleNearest2d(tape, value, [3, 1]));
  });
});

describe('shapes that do not fit', () => {
  it('are refused by name', () => {
    const tape = new Tape(backend);
    const value = tape.own(backend.fill([4, 4, 1], 1));
    const window: Pool2dOptions = { windowSize: [2, 2], strides: [2, 2], padding: none };
    const refused = (name: string) => `Cannot compute ${name} as 'input' must have rank 4: current shape is [4, 4, 1]`;
    expect(() => maxPool2d(tape, value, window)).toThrow(refused('maxPool2d'));
    expect(() => averagePool2d(tape, value, { ...window, countsPadding: true })).toThrow(refused('averagePool2d'));
    expect(() => upsampleNearest2d(tape, value, [2, 2])).toThrow(refused('upsampleNearest2d'));
    tape.dispose();
  });
});
