import { createCpuBackend } from '@dafl/backend-cpu';
import { expectClose } from '@dafl/conformance';
import { afterEach, describe, expect, it } from 'vitest';
import { compareGradients, drawArgument } from '../_testing/compare-gradients.ts';
import { Tape } from '../autodiff/tape.ts';
import { oneHotLoss } from './one-hot.ts';

const backend = createCpuBackend({ precision: 'float64' });
afterEach(() => expect(backend.memory().tensors).toBe(0));

async function lossOf(data: ArrayLike<number>, classes: number): Promise<number[]> {
  const tape = new Tape(backend);
  const logits = tape.own(backend.tensor(Float64Array.from(data), [data.length / classes, classes]));
  const values = Array.from(await backend.read(oneHotLoss(tape, logits).tensor));
  tape.dispose();
  return values;
}

describe('oneHotLoss', () => {
  it('is what its documentation shows', async () => {
    expectClose(await lossOf([0, 0, 10, 0], 2), [Math.LN2, 0.00005], { absolute: 5e-6, relative: 0 });
  });

  it('lies between 0 for a sure teacher and log(classes) for one that has no idea', async () => {
    const { data } = drawArgument([100, 10], { low: -5, high: 5 });
    for (const loss of await lossOf(data, 10)) {
      expect(loss).toBeGreaterThanOrEqual(0);
      expect(loss).toBeLessThanOrEqual(Math.log(10));
    }
    expect(await lossOf([50, 0, 0, 0, 900, 0], 3)).toEqual([0, 0]);
    expectClose(await lossOf(new Array<number>(10).fill(7), 10), [Math.log(10)], { absolute: 1e-15, relative: 1e-15 });
  });

  it('does not change with a shift of the logits', async () => {
    const { data } = drawArgument([4, 5], { low: -5, high: 5 });
    const shifted = data.map((value) => value + 30);
    expectClose(await lossOf(shifted, 5), await lossOf(data, 5), { absolute: 1e-14, relative: 1e-14 });
  });

  it('has the derivative of finite differences', async () => {
    const logits = drawArgument([4, 5], { low: -3, high: 3 });
    const [{ analytic, numeric }] = await compareGradients(backend, [logits], (tape, [value]) =>
      oneHotLoss(tape, value),
    );
    expectClose(analytic, numeric, { absolute: 1e-9, relative: 1e-7 });
  });
});
