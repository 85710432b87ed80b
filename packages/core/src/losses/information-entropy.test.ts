import { createCpuBackend } from '@dafl/backend-cpu';
import { expectClose } from '@dafl/conformance';
import { afterEach, describe, expect, it } from 'vitest';
import { compareGradients, drawArgument } from '../_testing/compare-gradients.ts';
import { Tape } from '../autodiff/tape.ts';
import { informationEntropyLoss } from './information-entropy.ts';

const backend = createCpuBackend({ precision: 'float64' });
afterEach(() => expect(backend.memory().tensors).toBe(0));

async function lossOf(data: ArrayLike<number>, classes: number): Promise<number> {
  const tape = new Tape(backend);
  const logits = tape.own(backend.tensor(Float64Array.from(data), [data.length / classes, classes]));
  const loss = informationEntropyLoss(tape, logits);
  expect(loss.shape).toEqual([]);
  const [value] = await backend.read(loss.tensor);
  tape.dispose();
  return value;
}

/** One image of each class, of which the teacher is sure. */
function oneOfEach(classes: number, logit: number): Float64Array {
  return Float64Array.from({ length: classes * classes }, (_, index) => (index % (classes + 1) === 0 ? logit : 0));
}

describe('informationEntropyLoss', () => {
  it('is what its documentation shows', async () => {
    expect(await lossOf([10, 0, 0, 10], 2)).toBeCloseTo(-0.301, 4);
  });

  it.each([2, 10, 100])('has its floor -log10(%d) where all classes are equally likely', async (classes) => {
    const floor = -Math.log10(classes);
    const tolerance = { absolute: 1e-12, relative: 0 };
    expectClose([await lossOf(oneOfEach(classes, 60), classes)], [floor], tolerance);
    expectClose([await lossOf(oneOfEach(classes, 1), classes)], [floor], tolerance);
    expectClose([await lossOf(new Float64Array(3 * classes), classes)], [floor], tolerance);
  });

  it('is 0 where one class has all, the others being out of the reach of floats too', async () => {
    expect(await lossOf([900, 0, 0, 900, 0, 0], 3)).toBeCloseTo(0, 12);
  });

  it('lies between', async () => {
    const { data } = drawArgument([50, 10], { low: -5, high: 5 });
    const loss = await lossOf(data, 10);
    expect(loss).toBeGreaterThan(-1);
    expect(loss).toBeLessThan(0);
  });

  it('has the derivative of finite differences', async () => {
    const logits = drawArgument([4, 5], { low: -3, high: 3 });
    const [{ analytic, numeric }] = await compareGradients(backend, [logits], (tape, [value]) =>
      informationEntropyLoss(tape, value),
    );
    expectClose(analytic, numeric, { absolute: 1e-9, relative: 1e-7 });
  });
});
