import { createCpuBackend } from '@dafl/backend-cpu';
import { expectClose } from '@dafl/conformance';
import { afterEach, describe, expect, it } from 'vitest';
import { compareGradients, drawArgument } from '../_testing/compare-gradients.ts';
import { Tape } from '../autodiff/tape.ts';
import { activationLoss } from './activation.ts';

const backend = createCpuBackend({ precision: 'float64' });
afterEach(() => expect(backend.memory().tensors).toBe(0));

async function lossOf(data: ArrayLike<number>, shape: number[]): Promise<number[]> {
  const tape = new Tape(backend);
  const loss = activationLoss(tape, tape.own(backend.tensor(Float64Array.from(data), shape)));
  const values = Array.from(await backend.read(loss.tensor));
  tape.dispose();
  return values;
}

describe('activationLoss', () => {
  it('is what its documentation shows', async () => {
    expect(await lossOf([1, -3], [1, 2])).toEqual([-2]);
  });

  it('is 0 without activation, grows in proportion and reads maps as rows', async () => {
    expect((await lossOf([0, 0, 0, 0], [2, 2])).map(Math.abs)).toEqual([0, 0]);
    const { data } = drawArgument([2, 12]);
    const loss = await lossOf(data, [2, 12]);
    const tolerance = { absolute: 1e-15, relative: 1e-14 };
    expectClose(
      await lossOf(
        data.map((value) => value * -5),
        [2, 12],
      ),
      loss.map((value) => value * 5),
      tolerance,
    );
    expectClose(await lossOf(data, [2, 2, 3, 2]), loss, tolerance);
  });

  it('has the derivative of finite differences', async () => {
    for (const shape of [
      [3, 4],
      [2, 2, 2, 3],
    ]) {
      const [{ analytic, numeric }] = await compareGradients(backend, [drawArgument(shape)], (tape, [value]) =>
        activationLoss(tape, value),
      );
      expectClose(analytic, numeric, { absolute: 1e-9, relative: 1e-7 });
    }
  });
});
