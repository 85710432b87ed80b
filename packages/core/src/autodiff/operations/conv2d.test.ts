import { createCpuBackend } from '@dafl/backend-cpu';
import { expectClose } from '@dafl/conformance';
import { afterEach, describe, expect, it } from 'vitest';
import { compareGradients, drawArgument } from '../../_testing/compare-gradients.ts';
import type { Conv2dOptions, Shape } from '../../backend.ts';
import { Tape } from '../tape.ts';
import { conv2d } from './conv2d.ts';

const backend = createCpuBackend({ precision: 'float64' });
afterEach(() => expect(backend.memory().tensors).toBe(0));

const plain: Conv2dOptions = {
  strides: [1, 1],
  padding: { top: 0, bottom: 0, left: 0, right: 0 },
  dilations: [1, 1],
  groups: 1,
};

const geometries: [name: string, input: Shape, filter: Shape, options: Conv2dOptions][] = [
  ['plain', [2, 4, 4, 2], [3, 3, 2, 3], plain],
  ['1x1', [2, 3, 2, 3], [1, 1, 3, 2], plain],
  [
    'unequal padding and strides',
    [1, 5, 4, 2],
    [3, 2, 2, 2],
    { ...plain, strides: [2, 1], padding: { top: 1, bottom: 0, left: 0, right: 2 } },
  ],
  ['stride that leaves a row unread', [1, 6, 4, 1], [3, 3, 1, 2], { ...plain, strides: [2, 2] }],
  ['dilations', [1, 6, 5, 1], [2, 3, 1, 2], { ...plain, dilations: [3, 2] }],
  ['two groups', [1, 3, 3, 4], [2, 2, 2, 6], { ...plain, groups: 2 }],
  ['depthwise', [2, 3, 3, 3], [3, 3, 1, 3], { ...plain, groups: 3, padding: { top: 1, bottom: 1, left: 1, right: 1 } }],
  ['depthwise with multiplier 2', [1, 3, 3, 2], [2, 2, 1, 4], { ...plain, groups: 2 }],
];

describe('conv2d', () => {
  it.each(geometries)('has the derivatives of finite differences: %s', async (_, input, filter, options) => {
    const args = [
      drawArgument(input, { seed: 1 }),
      drawArgument(filter, { seed: 2 }),
      drawArgument([filter[3]], { seed: 3 }),
    ];
    for (const pairs of [
      await compareGradients(backend, args, (tape, [x, w, b]) => conv2d(tape, x, w, b, options)),
      await compareGradients(backend, args.slice(0, 2), (tape, [x, w]) => conv2d(tape, x, w, null, options)),
    ]) {
      for (const { analytic, numeric } of pairs) expectClose(analytic, numeric, { absolute: 1e-9, relative: 1e-7 });
    }
  });

  it('has the derivatives of one side where the other is given', async () => {
    const input = drawArgument([1, 3, 3, 2], { seed: 1 });
    const filter = drawArgument([2, 2, 2, 2], { seed: 2 });
    const given = (tape: Tape, { data, shape }: typeof input) => tape.own(backend.tensor(data, shape));
    for (const pairs of [
      await compareGradients(backend, [input], (tape, [x]) => conv2d(tape, x, given(tape, filter), null, plain)),
      await compareGradients(backend, [filter], (tape, [w]) => conv2d(tape, given(tape, input), w, null, plain)),
    ]) {
      for (const { analytic, numeric } of pairs) expectClose(analytic, numeric, { absolute: 1e-9, relative: 1e-7 });
    }
  });

  it('refuses shapes that do not fit', () => {
    const tape = new Tape(backend);
    const own = (shape: Shape) => tape.own(backend.fill(shape, 1));
    expect(() => conv2d(tape, own([4, 4, 2]), own([3, 3, 2, 1]), null, plain)).toThrow(
      "Cannot compute conv2d as 'input' must have rank 4: current shape is [4, 4, 2]",
    );
    expect(() => conv2d(tape, own([1, 4, 4, 4]), own([3, 3, 4, 2]), null, { ...plain, groups: 2 })).toThrow(
      "Cannot compute conv2d as 'filter' must fit 4 input channels in 2 groups: current shape is [3, 3, 4, 2]",
    );
    tape.dispose();
  });
});
