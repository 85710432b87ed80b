import { createCpuBackend } from '@dafl/backend-cpu';
import { expectClose } from '@dafl/conformance';
import { afterEach, describe, expect, it } from 'vitest';
import { compareGradients, drawArgument } from '../_testing/compare-gradients.ts';
import { Tape } from '../autodiff/tape.ts';
import { DaflError } from '../errors.ts';
import { crossEntropy } from './cross-entropy.ts';
import { oneHotLoss } from './one-hot.ts';

const backend = createCpuBackend({ precision: 'float64' });
afterEach(() => expect(backend.memory().tensors).toBe(0));

describe('crossEntropy', () => {
  it('is what its documentation shows', async () => {
    const tape = new Tape(backend);
    const labels = backend.tensor(Int32Array.of(1), [1]);
    const loss = crossEntropy(tape, tape.own(backend.fill([1, 2], 0)), labels);
    expect((await backend.read(loss.tensor))[0]).toBeCloseTo(Math.LN2, 14);
    tape.dispose();
    backend.dispose(labels);
  });

  it('is the one-hot loss where the label is the largest logit', async () => {
    const tape = new Tape(backend);
    const { data, shape } = drawArgument([6, 5], { low: -3, high: 3 });
    const logits = tape.own(backend.tensor(data, shape));
    const labels = backend.argMax(logits.tensor);
    const expected = await backend.read(oneHotLoss(tape, logits).tensor);
    expect(await backend.read(crossEntropy(tape, logits, labels).tensor)).toEqual(expected);
    tape.dispose();
    backend.dispose(labels);
  });

  it('spreads smoothed labels over all classes', async () => {
    const tape = new Tape(backend);
    const labels = backend.tensor(Int32Array.of(1), [1]);
    const logits = tape.own(backend.tensor(Float64Array.of(1, 2, 0), [1, 3]));
    // -Σ t log softmax, t = [0.1, 0.8, 0.1]: log Σ exp(x) - 0.1 x 1 - 0.8 x 2.
    const expected = Math.log(Math.exp(1) + Math.exp(2) + 1) - 0.1 - 1.6;
    const loss = crossEntropy(tape, logits, labels, { labelSmoothing: 0.3 });
    expect((await backend.read(loss.tensor))[0]).toBeCloseTo(expected, 12);
    expect(() => crossEntropy(tape, logits, labels, { labelSmoothing: 1 })).toThrow(
      "Cannot compute crossEntropy as 'labelSmoothing' must be in [0, 1): current value is 1",
    );
    tape.dispose();
    backend.dispose(labels);
  });

  it('has the derivative of finite differences', async () => {
    const labels = backend.tensor(Int32Array.of(0, 4, 2, 2), [4]);
    const logits = drawArgument([4, 5], { low: -3, high: 3 });
    const [{ analytic, numeric }] = await compareGradients(backend, [logits], (tape, [value]) =>
      crossEntropy(tape, value, labels),
    );
    expectClose(analytic, numeric, { absolute: 1e-9, relative: 1e-7 });
    backend.dispose(labels);
  });

  it('refuses labels of another shape', () => {
    const tape = new Tape(backend);
    const labels = backend.tensor(Int32Array.of(0, 1), [2]);
    const loss = () => crossEntropy(tape, tape.own(backend.fill([3, 2], 0)), labels);
    expect(loss).toThrow(DaflError);
    expect(loss).toThrow("Cannot compute crossEntropy as 'labels' must have shape [3]: current shape is [2]");
    tape.dispose();
    backend.dispose(labels);
  });
});
