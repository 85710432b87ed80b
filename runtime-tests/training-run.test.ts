import { createCpuBackend } from '@dafl/backend-cpu';
import type { Tensor, TensorBackend } from '@dafl/core';
import { describe, expect, it } from 'vitest';
import { compareLosses, LOSS_TOLERANCE, recordLosses, TRAINING_STEPS } from './training-run.ts';

/** The reference with an input gradient of convolutions that is off by a thousandth. */
function createWrongBackend(): TensorBackend {
  const backend = createCpuBackend({ precision: 'float64' });
  return new Proxy(backend, {
    get: (target, key) => {
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member !== 'function') return member;
      if (key !== 'conv2dInputGradient') return member.bind(target) as unknown;
      return (...parameters: unknown[]): Tensor => {
        const gradient = (member as (...values: unknown[]) => Tensor).apply(target, parameters);
        const wrong = backend.affine(gradient, 1, 1e-3);
        backend.dispose(gradient);
        return wrong;
      };
    },
  });
}

describe('the training run', () => {
  it('agrees with itself, tells float32 from a wrong gradient, and leaves no tensor', async () => {
    const backend = createCpuBackend({ precision: 'float64' });
    const reference = await recordLosses(backend);
    expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
    expect(reference).toHaveLength(TRAINING_STEPS);
    expect(compareLosses(reference, reference)).toMatchObject({ agrees: true, largestDifference: 0 });

    const float32 = compareLosses(await recordLosses(createCpuBackend()), reference);
    expect(float32.agrees).toBe(true);
    expect(float32.largestDifference).toBeGreaterThan(0);

    const wrong = compareLosses(await recordLosses(createWrongBackend()), reference);
    expect(wrong.agrees).toBe(false);
    expect(wrong.largestDifference).toBeGreaterThan(10 * LOSS_TOLERANCE);
  });
});

describe('compareLosses', () => {
  const history = (value: number, steps = TRAINING_STEPS): Record<string, number>[] =>
    Array.from({ length: steps }, () => ({ oneHot: value }));

  it('names the worst term and its step', () => {
    const actual = history(1);
    actual[6] = { oneHot: 1.5 };
    expect(compareLosses(actual, history(1))).toEqual({
      agrees: false,
      largestDifference: 0.5,
      step: 7,
      term: 'oneHot',
    });
  });

  it('takes NaN, a missing term and a missing step for infinitely wrong', () => {
    for (const actual of [history(Number.NaN), history(1).map(() => ({})), history(1, TRAINING_STEPS - 1)]) {
      expect(compareLosses(actual, history(1))).toMatchObject({ agrees: false, largestDifference: Infinity });
    }
  });

  it('is content within the tolerance only', () => {
    expect(compareLosses(history(1 + LOSS_TOLERANCE * 0.9), history(1)).agrees).toBe(true);
    expect(compareLosses(history(1 + LOSS_TOLERANCE * 1.1), history(1)).agrees).toBe(false);
  });
});
