import { createCpuBackend } from '@dafl/backend-cpu';
import { expectClose } from '@dafl/conformance';
import { afterEach, expect, it } from 'vitest';
import { compareGradients, drawArgument } from '../../_testing/compare-gradients.ts';
import { Tape } from '../tape.ts';
import { meanSquaredDistance } from './mean-squared-distance.ts';

const backend = createCpuBackend({ precision: 'float64' });
afterEach(() => expect(backend.memory().tensors).toBe(0));

it('has the derivative of finite differences on both sides', async () => {
  const sides = [drawArgument([2, 3]), drawArgument([2, 3])];
  const pairs = await compareGradients(backend, sides, (tape, [left, right]) => meanSquaredDistance(tape, left, right));
  expect(pairs).toHaveLength(2);
  for (const { analytic, numeric } of pairs) expectClose(analytic, numeric, { absolute: 1e-9, relative: 1e-7 });
});

it('is the mean of the squares, and needs no gradient where there is none', async () => {
  const tape = new Tape(backend);
  const [left, right] = [Float64Array.of(1, 2, 3), Float64Array.of(1, 0, 0)];
  const values = [left, right].map((data) => tape.own(backend.tensor(data, [3])));
  const distance = meanSquaredDistance(tape, values[0], values[1]);
  expect(distance.requiresGradient).toBe(false);
  // (0 + 4 + 9) / 3
  expectClose(await backend.read(distance.tensor), [13 / 3], { absolute: 1e-15, relative: 1e-14 });
  tape.dispose();
});

it('refuses another shape', () => {
  const tape = new Tape(backend);
  const [left, right] = [tape.own(backend.fill([2, 3], 1)), tape.own(backend.fill([3], 1))];
  expect(() => meanSquaredDistance(tape, left, right)).toThrow(
    "Cannot compute meanSquaredDistance as 'right' must have shape [2, 3]: current shape is [3]",
  );
  tape.dispose();
});
