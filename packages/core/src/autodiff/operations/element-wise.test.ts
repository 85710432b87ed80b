import { createCpuBackend } from '@dafl/backend-cpu';
import { expectClose } from '@dafl/conformance';
import { afterEach, describe, expect, it } from 'vitest';
import { type Argument, compareGradients, drawArgument } from '../../_testing/compare-gradients.ts';
import { Tape, type Value } from '../tape.ts';
import {
  abs,
  add,
  affine,
  clip,
  detach,
  divide,
  erf,
  exp,
  leakyRelu,
  log,
  multiply,
  sigmoid,
  square,
  subtract,
  tanh,
} from './element-wise.ts';
import { sum } from './reduction.ts';

const backend = createCpuBackend({ precision: 'float64' });
afterEach(() => expect(backend.memory().tensors).toBe(0));

async function expectGradients(
  args: readonly Argument[],
  compute: (tape: Tape, values: Value[]) => Value,
): Promise<void> {
  for (const { analytic, numeric } of await compareGradients(backend, args, compute)) {
    expectClose(analytic, numeric, { absolute: 1e-9, relative: 1e-7 });
  }
}

describe('operations of one argument, by finite differences', () => {
  const anywhere = drawArgument([3, 4], { seed: 1, low: -2, high: 2 });
  const positive = drawArgument([3, 4], { seed: 2, low: 0.2, high: 2 });
  const operations: [string, Argument, (tape: Tape, value: Value) => Value][] = [
    ['affine', anywhere, (tape, value) => affine(tape, value, -3, 0.5)],
    ['affine without a summand', anywhere, (tape, value) => affine(tape, value, 2)],
    ['exp', anywhere, exp],
    ['log', positive, log],
    ['square', anywhere, square],
    ['abs', anywhere, abs],
    ['tanh', anywhere, tanh],
    ['sigmoid', anywhere, sigmoid],
    ['leakyRelu', anywhere, (tape, value) => leakyRelu(tape, value, 0.2)],
    ['leakyRelu of slope 0', anywhere, (tape, value) => leakyRelu(tape, value)],
    ['clip', anywhere, (tape, value) => clip(tape, value, -0.5, 1)],
  ];
  it.each(operations)('%s', async (_, argument, operation) => {
    await expectGradients([argument], (tape, [value]) => operation(tape, value));
  });

  it('erf', async () => {
    const [{ analytic, numeric }] = await compareGradients(backend, [anywhere], (tape, [value]) => erf(tape, value));
    // The contract lets the function itself err by 1e-6, so that differences of it may err by more.
    expectClose(analytic, numeric, { absolute: 1e-6, relative: 1e-6 });
  });
});

describe('operations of two arguments, by finite differences', () => {
  const shapes: [string, number[], number[]][] = [
    ['of one shape', [2, 3], [2, 3]],
    ['with a row', [2, 3], [3]],
    ['with a row on the left', [3], [2, 3]],
    ['with a scalar', [2, 3], []],
    ['with a scalar on the left', [], [2, 3]],
    ['with a column', [2, 3], [2, 1]],
    ['with both repeated', [2, 1], [1, 3]],
    ['with both repeated and of unequal rank', [2, 2, 1], [1, 3]],
    ['with a gate of channels', [2, 2, 2, 3], [2, 1, 1, 3]],
    ['with axes of size 1 on both sides', [1, 3], [1, 3]],
  ];
  describe.each(Object.entries({ add, subtract, multiply, divide }))('%s', (_, operation) => {
    it.each(shapes)('%s', async (_name, left, right) => {
      await expectGradients(
        [drawArgument(left, { seed: 1 }), drawArgument(right, { seed: 2, low: 0.5, high: 2 })],
        (tape, [first, second]) => operation(tape, first, second),
      );
    });

    it('of a value with itself', async () => {
      await expectGradients([drawArgument([2, 3], { low: 0.5, high: 2 })], (tape, [value]) =>
        operation(tape, value, value),
      );
    });

    it('of which one side is given', async () => {
      const given = drawArgument([3], { seed: 2, low: 0.5, high: 2 });
      const constant = (tape: Tape) => tape.own(backend.tensor(given.data, given.shape));
      const argument = drawArgument([2, 3], { seed: 1, low: 0.5, high: 2 });
      await expectGradients([argument], (tape, [value]) => operation(tape, value, constant(tape)));
      await expectGradients([argument], (tape, [value]) => operation(tape, constant(tape), value));
    });
  });

  it.each(['add', 'subtract', 'multiply', 'divide'] as const)('%s refuses shapes that do not broadcast', (name) => {
    const tape = new Tape(backend);
    const left = tape.own(backend.fill([2, 3], 1));
    const right = tape.own(backend.fill([2], 1));
    const operation = { add, subtract, multiply, divide }[name];
    expect(() => operation(tape, left, right)).toThrow(
      `Cannot compute ${name} as 'right' must broadcast with [2, 3]: current shape is [2]`,
    );
    tape.dispose();
  });
});

describe('derivatives at the kinks', () => {
  it('are 0 for abs at 0, the slope for leakyRelu at 0, 0 for clip on its bounds', async () => {
    const at = async (points: number[], operation: (tape: Tape, value: Value) => Value): Promise<number[]> => {
      const tape = new Tape(backend);
      const point = backend.tensor(Float64Array.from(points), [points.length]);
      const leaf = tape.leaf(point);
      const [gradient] = tape.gradients(sum(tape, operation(tape, leaf)), [leaf]);
      tape.dispose();
      const values = Array.from(await backend.read(gradient));
      for (const tensor of [point, gradient]) backend.dispose(tensor);
      return values;
    };
    expect(await at([0], abs)).toEqual([0]);
    expect(await at([0], (tape, value) => leakyRelu(tape, value, 0.25))).toEqual([0.25]);
    expect(await at([-1, 0, 2], (tape, value) => clip(tape, value, -1, 2))).toEqual([0, 1, 0]);
  });
});

describe('detach', () => {
  it('keeps the value and lets no gradient through', async () => {
    const tape = new Tape(backend);
    const point = backend.tensor(Float64Array.of(3), [1]);
    const leaf = tape.leaf(point);
    const detached = detach(tape, leaf);
    expect(detached.requiresGradient).toBe(false);
    expect(Array.from(await backend.read(detached.tensor))).toEqual([3]);
    // d(x · stop(x))/dx = stop(x), not 2x.
    const [gradient] = tape.gradients(sum(tape, multiply(tape, leaf, detached)), [leaf]);
    tape.dispose();
    expect(Array.from(await backend.read(gradient))).toEqual([3]);
    for (const tensor of [point, gradient]) backend.dispose(tensor);
  });
});
