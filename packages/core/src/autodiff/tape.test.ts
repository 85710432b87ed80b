import { createCpuBackend } from '@dafl/backend-cpu';
import { expectClose } from '@dafl/conformance';
import { afterEach, describe, expect, it } from 'vitest';
import type { Tensor } from '../backend.ts';
import { DaflError } from '../errors.ts';
import { batchNorm } from './operations/batch-norm.ts';
import { add, affine, exp, multiply, square, tanh } from './operations/element-wise.ts';
import { matMul } from './operations/mat-mul.ts';
import { sum } from './operations/reduction.ts';
import { Tape, type Value } from './tape.ts';

const backend = createCpuBackend({ precision: 'float64' });
const vector = (...values: number[]): Tensor => backend.tensor(Float64Array.from(values), [values.length]);
const live = (): number => backend.memory().tensors;
afterEach(() => expect(live()).toBe(0));

/** Reads and frees. */
async function take(...tensors: Tensor[]): Promise<number[][]> {
  const values = await Promise.all(tensors.map(async (tensor) => Array.from(await backend.read(tensor))));
  for (const tensor of tensors) backend.dispose(tensor);
  return values;
}

describe('Tape.gradients', () => {
  it('adds up the gradients of a value that several operations read', async () => {
    const x = vector(3);
    const tape = new Tape(backend);
    const leaf = tape.leaf(x);
    const twice = affine(tape, leaf, 2);
    // (2x)² + 5 · 2x + x · 2x, with derivative 8x + 10 + 4x.
    const total = sum(
      tape,
      add(tape, add(tape, square(tape, twice), affine(tape, twice, 5)), multiply(tape, leaf, twice)),
    );
    const gradients = tape.gradients(total, [leaf]);
    tape.dispose();
    expect(await take(...gradients, x)).toEqual([[46], [3]]);
  });

  it('takes the derivative through both arguments of one operation', async () => {
    const x = vector(3, -2);
    const tape = new Tape(backend);
    const leaf = tape.leaf(x);
    const gradients = tape.gradients(sum(tape, multiply(tape, leaf, leaf)), [leaf]);
    tape.dispose();
    expect(await take(...gradients, x)).toEqual([
      [6, -4],
      [3, -2],
    ]);
  });

  it('gives zeros for a leaf that the scalar does not depend on', async () => {
    const x = vector(1);
    const unread = vector(1, 2);
    const read = vector(4);
    const tape = new Tape(backend);
    const leaves = [x, unread, read].map((tensor) => tape.leaf(tensor));
    // The second is never read, the third on a branch that does not lead to the scalar.
    square(tape, leaves[2]);
    const gradients = tape.gradients(sum(tape, square(tape, leaves[0])), leaves);
    tape.dispose();
    expect(await take(...gradients, x, unread, read)).toEqual([[2], [0, 0], [0], [1], [1, 2], [4]]);
  });

  it('gives a leaf that is asked for twice its gradient twice, each to be freed', async () => {
    const x = vector(3);
    const tape = new Tape(backend);
    const leaf = tape.leaf(x);
    const gradients = tape.gradients(sum(tape, square(tape, leaf)), [leaf, leaf]);
    tape.dispose();
    expect(await take(...gradients, x)).toEqual([[6], [6], [3]]);
  });

  it('gives 1 for the scalar itself', async () => {
    const x = backend.fill([], 5);
    const tape = new Tape(backend);
    const leaf = tape.leaf(x);
    const gradients = tape.gradients(leaf, [leaf]);
    tape.dispose();
    expect(await take(...gradients, x)).toEqual([[1], [5]]);
  });

  it('sends no gradient into constants', async () => {
    const weight = backend.tensor(Float64Array.of(2), [1, 1]);
    const frozen = backend.tensor(Float64Array.of(5), [1, 1]);
    const tape = new Tape(backend);
    const leaf = tape.leaf(weight);
    const constant = tape.constant(frozen);
    const given = square(tape, constant);
    expect(given.requiresGradient).toBe(false);
    const gradients = tape.gradients(sum(tape, matMul(tape, leaf, given)), [leaf]);
    tape.dispose();
    expect(await take(...gradients, weight, frozen)).toEqual([[25], [2], [5]]);
  });

  it('frees the gradients that a derivative returns for constants', async () => {
    const input = backend.tensor(Float64Array.of(1, 2, 3), [3, 1]);
    const scale = vector(2);
    const tape = new Tape(backend);
    const leaf = tape.leaf(scale);
    const { output, mean, variance } = batchNorm(tape, tape.constant(input), leaf, null, 1e-5);
    const gradients = tape.gradients(sum(tape, square(tape, output)), [leaf]);
    tape.dispose();
    // None of the input, which is given; the biased variance of 1, 2 and 3 is 2/3.
    const [ofScale] = await take(...gradients, input, scale, mean, variance);
    expect(ofScale[0]).toBeCloseTo((4 * 3 * (2 / 3)) / (2 / 3 + 1e-5), 10);
    expect(live()).toBe(0);
  });

  it('gives the gradients of results between, which other gradients flow through', async () => {
    const x = vector(1, 2, 3);
    const tape = new Tape(backend);
    const leaf = tape.leaf(x);
    const twice = affine(tape, leaf, 2);
    // sum((2x)²): 2 · 2x with respect to 2x, 8x with respect to x.
    const gradients = tape.gradients(sum(tape, square(tape, twice)), [twice, leaf, twice]);
    tape.dispose();
    expect(await take(...gradients, x)).toEqual([
      [4, 8, 12],
      [8, 16, 24],
      [4, 8, 12],
      [1, 2, 3],
    ]);
  });

  it('refuses constants and values of other tapes, whose gradient would be zeros that mean nothing', () => {
    const x = vector(1);
    const [tape, other] = [new Tape(backend), new Tape(backend)];
    const total = sum(tape, square(tape, tape.leaf(x)));
    const refused =
      "Cannot take gradients as each of 'values' must be a leaf of this tape or depend on one: current value is";
    expect(() => tape.gradients(total, [tape.constant(x)])).toThrow(`${refused} a constant`);
    expect(() => tape.gradients(total, [other.leaf(x)])).toThrow(`${refused} from another tape`);
    for (const one of [tape, other]) one.dispose();
    backend.dispose(x);
  });

  it('leaves nothing alive where a derivative throws in its middle', () => {
    const x = vector(1, 2);
    const tape = new Tape(backend);
    const leaf = tape.leaf(x);
    const broken = tape.record(tape.backend.affine(x, 1, 0), [leaf], (gradient) => {
      tape.backend.binary('add', gradient, gradient);
      throw new Error('no memory');
    });
    const total = sum(tape, multiply(tape, tanh(tape, broken), exp(tape, leaf)));
    expect(() => tape.gradients(total, [leaf])).toThrow('no memory');
    tape.dispose();
    expect(live()).toBe(1);
    backend.dispose(x);
  });

  it('refuses what is no scalar', () => {
    const x = backend.fill([1], 5);
    const tape = new Tape(backend);
    const take = () => tape.gradients(square(tape, tape.leaf(x)), []);
    expect(take).toThrow(DaflError);
    expect(take).toThrow("Cannot take gradients as 'output' must be a scalar: current shape is [1]");
    tape.dispose();
    backend.dispose(x);
  });
});

describe('Tape.leaf', () => {
  it('gives one value for one tensor, so that its gradient is whole', async () => {
    const x = vector(3);
    const tape = new Tape(backend);
    expect(tape.leaf(x)).toBe(tape.leaf(x));
    const total = sum(tape, add(tape, square(tape, tape.leaf(x)), tape.leaf(x)));
    const gradients = tape.gradients(total, [tape.leaf(x)]);
    tape.dispose();
    expect(await take(...gradients, x)).toEqual([[7], [3]]);
  });
});

describe('what a tape keeps alive', () => {
  /** A chain of `depth` operations, each released after its consumer. */
  function chain(tape: Tape, input: Value, depth: number, operation: (tape: Tape, value: Value) => Value): Value {
    let value = input;
    for (let index = 0; index < depth; index++) {
      const next = operation(tape, value);
      if (value !== input) tape.release(value);
      value = next;
    }
    return value;
  }

  it('is nothing after dispose, with gradients or without, once or twice', async () => {
    const x = vector(0.5);
    for (const takesGradients of [false, true]) {
      const tape = new Tape(backend);
      const leaf = tape.leaf(x);
      const total = sum(tape, multiply(tape, exp(tape, tanh(tape, leaf)), leaf));
      if (takesGradients) await take(...tape.gradients(total, [leaf]));
      tape.dispose();
      tape.dispose();
      expect(live()).toBe(1);
    }
    backend.dispose(x);
  });

  it('is two results at most in a chain without gradient, however deep', () => {
    const x = vector(0.5);
    const tape = new Tape(backend);
    let peak = 0;
    chain(tape, tape.constant(x), 50, (tape, value) => {
      const result = square(tape, value);
      peak = Math.max(peak, live());
      return result;
    });
    // The constant, the argument and the result.
    expect(peak).toBe(3);
    tape.dispose();
    backend.dispose(x);
  });

  it('is what derivatives read: nothing of a chain of affine operations, each result of a chain of squares', () => {
    const x = vector(0.5);
    for (const [operation, expected] of [
      // The leaf and the last result.
      [(tape: Tape, value: Value) => affine(tape, value, 2), 2],
      // The leaf and each result but the last as an argument, and the last as the chain's end.
      [square, 11],
      // Each result, whose own value the derivative reads.
      [tanh, 11],
    ] as const) {
      const tape = new Tape(backend);
      chain(tape, tape.leaf(x), 10, operation);
      expect(live()).toBe(expected);
      tape.dispose();
    }
    backend.dispose(x);
  });

  it('shrinks while gradients are taken', async () => {
    const x = vector(0.5);
    const tape = new Tape(backend);
    const counts: number[] = [];
    const watched = (tape: Tape, value: Value): Value => {
      const result = square(tape, value);
      return tape.record(backend.reshape(result.tensor, result.shape), [result], (gradient) => {
        counts.push(live());
        return [backend.reshape(gradient, gradient.shape)];
      });
    };
    const leaf = tape.leaf(x);
    let value: Value = leaf;
    for (let index = 0; index < 6; index++) {
      const next = watched(tape, value);
      tape.release(value);
      value = next;
    }
    const gradients = tape.gradients(sum(tape, value), [leaf]);
    for (let index = 1; index < counts.length; index++) expect(counts[index]).toBeLessThan(counts[index - 1]);
    tape.dispose();
    await take(...gradients, x);
  });

  it('outlives a release as long as a derivative reads it', async () => {
    const x = vector(3);
    const tape = new Tape(backend);
    const leaf = tape.leaf(x);
    const squared = square(tape, leaf);
    const total = sum(tape, square(tape, squared));
    tape.release(squared);
    tape.release(squared);
    expect(Array.from(await backend.read(squared.tensor))).toEqual([9]);
    const gradients = tape.gradients(total, [leaf]);
    tape.dispose();
    expect(await take(...gradients, x)).toEqual([[108], [3]]);
  });

  it('never includes the tensors of leaves and constants', async () => {
    const x = vector(3);
    const y = vector(4);
    const tape = new Tape(backend);
    const leaf = tape.leaf(x);
    const constant = tape.constant(y);
    const product = multiply(tape, leaf, constant);
    tape.release(leaf);
    tape.release(constant);
    const gradients = tape.gradients(sum(tape, product), [leaf]);
    tape.dispose();
    expect(await take(...gradients, x, y)).toEqual([[4], [3], [4]]);
  });

  it('is freed where an operation brought tensors of its own, whether its derivative was taken or not', async () => {
    const x = vector(3);
    for (const takesGradients of [true, false]) {
      const tape = new Tape(backend);
      const leaf = tape.leaf(x);
      const kept = vector(7);
      let cleanUps = 0;
      const value = tape.record(
        backend.affine(x, 7, 0),
        [leaf],
        (gradient) => [backend.binary('multiply', gradient, kept)],
        {
          cleanUp: () => {
            cleanUps++;
            backend.dispose(kept);
          },
        },
      );
      const total = sum(tape, value);
      if (takesGradients)
        expectClose((await take(...tape.gradients(total, [leaf])))[0], [7], { absolute: 0, relative: 0 });
      tape.dispose();
      expect(cleanUps).toBe(1);
    }
    // Without gradient there is nothing to wait for.
    const tape = new Tape(backend);
    const kept = vector(7);
    tape.record(backend.affine(x, 7, 0), [tape.constant(x)], () => [], { cleanUp: () => backend.dispose(kept) });
    tape.dispose();
    backend.dispose(x);
  });
});
