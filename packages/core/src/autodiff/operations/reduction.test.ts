import { createCpuBackend } from '@dafl/backend-cpu';
import { expectClose } from '@dafl/conformance';
import { afterEach, describe, expect, it } from 'vitest';
import { compareGradients, drawArgument } from '../../_testing/compare-gradients.ts';
import { mean, sum } from './reduction.ts';

const backend = createCpuBackend({ precision: 'float64' });
afterEach(() => expect(backend.memory().tensors).toBe(0));

describe.each(Object.entries({ sum, mean }))('%s', (_, reduction) => {
  it.each([[[0]], [[1]], [[0, 2]], [[1, 2]], [[0, 1, 2]], [undefined]])(
    'has the derivative of finite differences over axes %j',
    async (axes) => {
      const pairs = await compareGradients(backend, [drawArgument([2, 3, 2])], (tape, [value]) =>
        reduction(tape, value, axes),
      );
      for (const { analytic, numeric } of pairs) expectClose(analytic, numeric, { absolute: 1e-9, relative: 1e-7 });
    },
  );

  it('has the derivative of finite differences of a scalar', async () => {
    const [{ analytic, numeric }] = await compareGradients(backend, [drawArgument([])], (tape, [value]) =>
      reduction(tape, value),
    );
    expectClose(analytic, numeric, { absolute: 1e-9, relative: 1e-7 });
  });
});
