import { createCpuBackend } from '@dafl/backend-cpu';
import { createWasmBackend } from '@dafl/backend-wasm';
import { expectClose } from '@dafl/conformance';
import { afterEach, describe, expect, it } from 'vitest';
import { compareGradients, drawArgument } from '../../_testing/compare-gradients.ts';
import { Tape } from '../tape.ts';
import { sum } from './reduction.ts';
import { softmaxDivergence } from './softmax-divergence.ts';

const backend = createCpuBackend({ precision: 'float64' });
afterEach(() => expect(backend.memory().tensors).toBe(0));

describe('softmaxDivergence', () => {
  it.each([1, 4])('has the derivative of finite differences at temperature %d', async (temperature) => {
    const logits = drawArgument([2, 3], { low: -3, high: 3 });
    const pairs = await compareGradients(backend, [logits], (tape, [value]) => {
      const target = tape.own(backend.tensor(Float64Array.of(0.2, 0.5, 0.3, 0, 1, 0), [2, 3]));
      return softmaxDivergence(tape, value, target, temperature);
    });
    for (const { analytic, numeric } of pairs) expectClose(analytic, numeric, { absolute: 1e-9, relative: 1e-7 });
  });

  it.each([1, 4])('is the same by a fused kernel at temperature %d', async (temperature) => {
    const fused = await createWasmBackend({ threads: 1 });
    const results = await Promise.all(
      [backend, fused].map(async (each) => {
        const tape = new Tape(each);
        const logits = tape.leaf(each.tensor(Float32Array.of(1, -2, 3, 0.5, 0, -1), [2, 3]));
        const target = tape.own(each.tensor(Float32Array.of(0.2, 0.5, 0.3, 0, 1, 0), [2, 3]));
        const divergence = softmaxDivergence(tape, logits, target, temperature);
        const [gradient] = tape.gradients(sum(tape, divergence), [logits]);
        const values = [...(await each.read(divergence.tensor)), ...(await each.read(gradient))];
        each.dispose(gradient);
        each.dispose(logits.tensor);
        tape.dispose();
        return values;
      }),
    );
    expectClose(results[1], results[0], { absolute: 1e-6, relative: 1e-5 });
    expect(fused.memory().tensors).toBe(0);
    await fused.close();
  });

  it('is 0 for the softmax itself and the cross-entropy for a one-hot target', async () => {
    const tape = new Tape(backend);
    const logits = tape.own(backend.tensor(Float64Array.of(0, Math.log(3), 0, Math.log(3)), [2, 2]));
    const target = tape.own(backend.tensor(Float64Array.of(0.25, 0.75, 1, 0), [2, 2]));
    const values = await backend.read(softmaxDivergence(tape, logits, target).tensor);
    expectClose(values, [0, Math.log(4)], { absolute: 1e-15, relative: 1e-14 });
    tape.dispose();
  });

  it('refuses a target of another shape', () => {
    const tape = new Tape(backend);
    const [logits, target] = [tape.own(backend.fill([2, 3], 1)), tape.own(backend.fill([3], 1))];
    expect(() => softmaxDivergence(tape, logits, target)).toThrow(
      "Cannot compute softmaxDivergence as 'target' must have shape [2, 3]: current shape is [3]",
    );
    tape.dispose();
  });
});
