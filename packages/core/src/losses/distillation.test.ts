import { createCpuBackend } from '@dafl/backend-cpu';
import { expectClose } from '@dafl/conformance';
import { afterEach, describe, expect, it } from 'vitest';
import { type Argument, compareGradients, drawArgument } from '../_testing/compare-gradients.ts';
import { multiply } from '../autodiff/operations/element-wise.ts';
import { sum } from '../autodiff/operations/reduction.ts';
import { logSoftmax, softmax } from '../autodiff/operations/softmax.ts';
import { Tape } from '../autodiff/tape.ts';
import { DaflError } from '../errors.ts';
import { crossEntropy } from './cross-entropy.ts';
import { distillationLoss } from './distillation.ts';

const backend = createCpuBackend({ precision: 'float64' });
afterEach(() => expect(backend.memory().tensors).toBe(0));

const close = { absolute: 1e-14, relative: 1e-13 };
const student = drawArgument([6, 5], { seed: 1, low: -3, high: 3 });
const teacher = drawArgument([6, 5], { seed: 2, low: -3, high: 3 });

function scaled({ data, shape }: Argument, factor: number): Argument {
  return { shape, data: data.map((value) => value * factor) };
}

async function lossOf(studentLogits: Argument, teacherLogits: Argument, temperature?: number): Promise<number[]> {
  const tape = new Tape(backend);
  const [first, second] = [studentLogits, teacherLogits].map(({ data, shape }) =>
    tape.own(backend.tensor(data, shape)),
  );
  const loss = distillationLoss(tape, first, second, temperature === undefined ? {} : { temperature });
  const values = Array.from(await backend.read(loss.tensor));
  tape.dispose();
  return values;
}

describe('distillationLoss', () => {
  it('is what its documentation shows', async () => {
    const loss = await lossOf(
      { shape: [1, 2], data: Float64Array.of(1, 2) },
      { shape: [1, 2], data: Float64Array.of(2, 1) },
    );
    expect(loss[0]).toBeCloseTo(0.46212, 5);
  });

  it('is 0 for equal logits and for logits that differ by a shift, positive for others', async () => {
    expectClose(await lossOf(teacher, teacher, 3), [0, 0, 0, 0, 0, 0], close);
    const shifted = { shape: teacher.shape, data: teacher.data.map((value) => value + 9) };
    expectClose(await lossOf(shifted, teacher), [0, 0, 0, 0, 0, 0], close);
    for (const loss of await lossOf(student, teacher)) expect(loss).toBeGreaterThan(0);
  });

  it("is the cross-entropy with the teacher's probabilities minus their entropy", async () => {
    const tape = new Tape(backend);
    const [first, second] = [student, teacher].map(({ data, shape }) => tape.own(backend.tensor(data, shape)));
    const probabilities = softmax(tape, second);
    const expected = async (logits: typeof first) =>
      Array.from(await backend.read(sum(tape, multiply(tape, probabilities, logSoftmax(tape, logits)), [1]).tensor));
    const crossEntropies = (await expected(first)).map((value) => -value);
    const entropies = (await expected(second)).map((value) => -value);
    tape.dispose();
    expectClose(
      await lossOf(student, teacher),
      crossEntropies.map((value, row) => value - entropies[row]),
      close,
    );
  });

  it('is the cross-entropy with the label where the teacher is sure', async () => {
    const labels = [0, 3, 2, 1, 4, 4];
    const sure = { shape: [6, 5], data: new Float64Array(30) };
    labels.forEach((label, row) => (sure.data[row * 5 + label] = 800));
    const tape = new Tape(backend);
    const logits = tape.own(backend.tensor(student.data, student.shape));
    const given = tape.own(backend.tensor(Int32Array.from(labels), [6]));
    const expected = await backend.read(crossEntropy(tape, logits, given.tensor).tensor);
    tape.dispose();
    expectClose(await lossOf(student, sure), expected, close);
  });

  it('is that of logits over the temperature, times its square', async () => {
    for (const temperature of [0.5, 4, 20]) {
      const softened = await lossOf(scaled(student, 1 / temperature), scaled(teacher, 1 / temperature));
      expectClose(
        await lossOf(student, teacher, temperature),
        softened.map((value) => value * temperature ** 2),
        { absolute: 1e-12, relative: 1e-12 },
      );
    }
    expect(await lossOf(student, teacher, 1)).toEqual(await lossOf(student, teacher));
  });

  it('has the derivatives of finite differences, for both networks', async () => {
    for (const temperature of [1, 4]) {
      const pairs = await compareGradients(backend, [student, teacher], (tape, [first, second]) =>
        distillationLoss(tape, first, second, { temperature }),
      );
      // The loss is multiplied by the temperature's square, and so is the rounding of the differences.
      for (const { analytic, numeric } of pairs) expectClose(analytic, numeric, { absolute: 3e-9, relative: 1e-7 });
    }
  });

  it('refuses shapes that differ and a temperature that is not > 0', () => {
    const tape = new Tape(backend);
    const own = (shape: number[]) => tape.own(backend.fill(shape, 1));
    const different = () => distillationLoss(tape, own([32, 10]), own([32, 100]));
    expect(different).toThrow(DaflError);
    expect(different).toThrow(
      "Cannot compute distillationLoss as 'teacherLogits' must have shape [32, 10]: current shape is [32, 100]",
    );
    for (const temperature of [0, -1, Number.NaN]) {
      expect(() => distillationLoss(tape, own([2, 3]), own([2, 3]), { temperature })).toThrow(
        new DaflError(
          'USAGE',
          `Cannot compute distillationLoss as 'temperature' must be > 0: current value is ${temperature}`,
        ),
      );
    }
    tape.dispose();
  });
});
