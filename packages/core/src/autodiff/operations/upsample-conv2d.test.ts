import { createCpuBackend } from '@dafl/backend-cpu';
import { createWasmBackend } from '@dafl/backend-wasm';
import { expectClose } from '@dafl/conformance';
import { afterEach, describe, expect, it } from 'vitest';
import { compareGradients, drawArgument } from '../../_testing/compare-gradients.ts';
import { Tape } from '../tape.ts';
import { mean } from './reduction.ts';
import { upsampleConv2d } from './upsample-conv2d.ts';

const backend = createCpuBackend({ precision: 'float64' });
afterEach(() => expect(backend.memory().tensors).toBe(0));

describe('upsampleConv2d', () => {
  it('has the derivatives of finite differences', async () => {
    const args = [drawArgument([2, 3, 2, 2]), drawArgument([3, 3, 2, 3], { seed: 1 }), drawArgument([3], { seed: 2 })];
    for (const pairs of [
      await compareGradients(backend, args, (tape, [x, w, b]) => upsampleConv2d(tape, x, w, b)),
      await compareGradients(backend, args.slice(0, 2), (tape, [x, w]) => upsampleConv2d(tape, x, w, null)),
    ]) {
      for (const { analytic, numeric } of pairs) expectClose(analytic, numeric, { absolute: 1e-9, relative: 1e-7 });
    }
  });

  it('gives the same gradients on a backend with kernels for it', async () => {
    const args = [drawArgument([2, 3, 2, 2]), drawArgument([3, 3, 2, 3], { seed: 1 }), drawArgument([3], { seed: 2 })];
    const gradientsOn = async (on: typeof backend): Promise<number[][]> => {
      const tensors = args.map(({ data, shape }) => on.tensor(Float32Array.from(data), shape));
      const tape = new Tape(on);
      const leaves = tensors.map((tensor) => tape.leaf(tensor));
      const gradients = tape.gradients(mean(tape, upsampleConv2d(tape, leaves[0], leaves[1], leaves[2])), leaves);
      const values = await Promise.all(gradients.map(async (gradient) => Array.from(await on.read(gradient))));
      for (const tensor of [...tensors, ...gradients]) on.dispose(tensor);
      tape.dispose();
      return values;
    };
    const wasm = await createWasmBackend({ threads: 1 });
    const expected = await gradientsOn(backend);
    const actual = await gradientsOn(wasm);
    await wasm.close();
    actual.forEach((gradient, index) => expectClose(gradient, expected[index], { absolute: 1e-6, relative: 1e-5 }));
  });
});
