import { createCpuBackend } from '@dafl/backend-cpu';
import { expectClose } from '@dafl/conformance';
import { afterEach, describe, expect, it } from 'vitest';
import { compareGradients, drawArgument } from '../../_testing/compare-gradients.ts';
import type { Shape } from '../../backend.ts';
import { Tape } from '../tape.ts';
import { matMul } from './mat-mul.ts';

const backend = createCpuBackend({ precision: 'float64' });
afterEach(() => expect(backend.memory().tensors).toBe(0));

describe('matMul', () => {
  it('has the derivatives of finite differences, for both sides or one', async () => {
    const left = drawArgument([2, 3], { seed: 1 });
    const right = drawArgument([3, 4], { seed: 2 });
    const given = (tape: Tape, { data, shape }: typeof left) => tape.own(backend.tensor(data, shape));
    for (const pairs of [
      await compareGradients(backend, [left, right], (tape, [l, r]) => matMul(tape, l, r)),
      await compareGradients(backend, [left], (tape, [l]) => matMul(tape, l, given(tape, right))),
      await compareGradients(backend, [right], (tape, [r]) => matMul(tape, given(tape, left), r)),
    ]) {
      for (const { analytic, numeric } of pairs) expectClose(analytic, numeric, { absolute: 1e-9, relative: 1e-7 });
    }
  });

  it('refuses shapes that do not fit', () => {
    const tape = new Tape(backend);
    const own = (shape: Shape) => tape.own(backend.fill(shape, 1));
    expect(() => matMul(tape, own([3]), own([3, 1]))).toThrow(
      "Cannot compute matMul as 'left' must have rank 2: current shape is [3]",
    );
    expect(() => matMul(tape, own([2, 3]), own([2, 3]))).toThrow(
      "Cannot compute matMul as 'right' must have shape [3, columns]: current shape is [2, 3]",
    );
    tape.dispose();
  });
});
