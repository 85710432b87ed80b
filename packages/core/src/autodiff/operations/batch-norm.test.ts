import { createCpuBackend } from '@dafl/backend-cpu';
import { expectClose } from '@dafl/conformance';
import { afterEach, describe, expect, it } from 'vitest';
import { compareGradients, drawArgument } from '../../_testing/compare-gradients.ts';
import { Tape, type Value } from '../tape.ts';
import { batchNorm } from './batch-norm.ts';

const backend = createCpuBackend({ precision: 'float64' });
afterEach(() => expect(backend.memory().tensors).toBe(0));

/** The output alone; the statistics are freed at once, before any derivative is taken. */
function normalise(tape: Tape, input: Value, scale: Value | null, offset: Value | null, epsilon: number): Value {
  const { output, mean, variance } = batchNorm(tape, input, scale, offset, epsilon);
  backend.dispose(mean);
  backend.dispose(variance);
  return output;
}

describe('batchNorm', () => {
  const shapes = [
    ['rows', [5, 3]],
    ['images', [2, 2, 3, 2]],
  ] as const;

  it.each(shapes)('has the derivatives of finite differences: %s', async (_, shape) => {
    const channels = [shape[shape.length - 1]];
    const input = drawArgument(shape, { seed: 1 });
    const scale = drawArgument(channels, { seed: 2, low: 0.5, high: 2 });
    const offset = drawArgument(channels, { seed: 3 });
    for (const epsilon of [1e-5, 0.8]) {
      for (const [args, compute] of [
        [[input, scale, offset], (tape: Tape, [x, s, o]: Value[]) => normalise(tape, x, s, o, epsilon)],
        [[input, scale], (tape: Tape, [x, s]: Value[]) => normalise(tape, x, s, null, epsilon)],
        [[input, offset], (tape: Tape, [x, o]: Value[]) => normalise(tape, x, null, o, epsilon)],
        [[input], (tape: Tape, [x]: Value[]) => normalise(tape, x, null, null, epsilon)],
      ] as const) {
        for (const { analytic, numeric } of await compareGradients(backend, args, compute)) {
          expectClose(analytic, numeric, { absolute: 2e-9, relative: 1e-7 });
        }
      }
    }
  });

  it('has the derivatives of a given input and of a given scale', async () => {
    const input = drawArgument([5, 3], { seed: 1 });
    const scale = drawArgument([3], { seed: 2, low: 0.5, high: 2 });
    const given = (tape: Tape, { data, shape }: typeof input) => tape.own(backend.tensor(data, shape));
    for (const pairs of [
      await compareGradients(backend, [scale], (tape, [s]) => normalise(tape, given(tape, input), s, null, 0.1)),
      await compareGradients(backend, [input], (tape, [x]) => normalise(tape, x, given(tape, scale), null, 0.1)),
    ]) {
      for (const { analytic, numeric } of pairs) expectClose(analytic, numeric, { absolute: 1e-9, relative: 1e-7 });
    }
  });

  it('returns the biased statistics, which the caller may free before the gradient is taken', async () => {
    const tape = new Tape(backend);
    const input = tape.own(backend.tensor(Float64Array.of(1, 10, 3, 30), [2, 2]));
    const { mean, variance, output } = batchNorm(tape, input, null, null, 3);
    expect(Array.from(await backend.read(mean))).toEqual([2, 20]);
    expect(Array.from(await backend.read(variance))).toEqual([1, 100]);
    expectClose(await backend.read(output.tensor), [-1 / 2, -10 / Math.sqrt(103), 1 / 2, 10 / Math.sqrt(103)], {
      absolute: 1e-15,
      relative: 1e-15,
    });
    backend.dispose(mean);
    backend.dispose(variance);
    tape.dispose();
  });
});
