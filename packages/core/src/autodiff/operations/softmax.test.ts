import { createCpuBackend } from '@dafl/backend-cpu';
import { expectClose } from '@dafl/conformance';
import { afterEach, describe, expect, it } from 'vitest';
import { compareGradients, drawArgument } from '../../_testing/compare-gradients.ts';
import { Tape } from '../tape.ts';
import { logSoftmax, softmax } from './softmax.ts';

const backend = createCpuBackend({ precision: 'float64' });
afterEach(() => expect(backend.memory().tensors).toBe(0));

describe.each(Object.entries({ softmax, logSoftmax }))('%s', (name, operation) => {
  it('has the derivative of finite differences', async () => {
    const logits = drawArgument([3, 4], { low: -3, high: 3 });
    const pairs = await compareGradients(backend, [logits], (tape, [value]) => operation(tape, value));
    for (const { analytic, numeric } of pairs) expectClose(analytic, numeric, { absolute: 1e-9, relative: 1e-7 });
  });

  it('does not depend on a shift of the logits, however large', async () => {
    const tape = new Tape(backend);
    const value = tape.own(backend.tensor(Float64Array.of(1, 2, 4, 1e6 + 1, 1e6 + 2, 1e6 + 4), [2, 3]));
    const output = await backend.read(operation(tape, value).tensor);
    expectClose(output.subarray(3), output.subarray(0, 3), { absolute: 1e-15, relative: 1e-15 });
    tape.dispose();
  });

  it('refuses what is no batch of rows', () => {
    const tape = new Tape(backend);
    const value = tape.own(backend.fill([2, 2, 3], 1));
    expect(() => operation(tape, value)).toThrow(
      `Cannot compute ${name} as 'logits' must have shape [batch, classes]: current shape is [2, 2, 3]`,
    );
    tape.dispose();
  });
});

it('softmax is the exponential of logSoftmax', async () => {
  const tape = new Tape(backend);
  const { data, shape } = drawArgument([3, 5], { low: -3, high: 3 });
  const value = tape.own(backend.tensor(data, shape));
  const logarithms = await backend.read(logSoftmax(tape, value).tensor);
  expectClose(await backend.read(softmax(tape, value).tensor), Array.from(logarithms, Math.exp), {
    absolute: 1e-15,
    relative: 1e-14,
  });
  tape.dispose();
});
