import { add, affine, clip, log, multiply, subtract } from '../autodiff/operations/element-wise.ts';
import { mean, sum } from '../autodiff/operations/reduction.ts';
import { softmax } from '../autodiff/operations/softmax.ts';
import type { Tape, Value } from '../autodiff/tape.ts';

/** Probabilities are limited to this range. */
const LEAST = 0.01;
const MOST = 0.99;

/**
 * How much teacher and student differ, as DeepInversion's competition term measures it.
 *
 * Equation: ℓ = meanᵢ ½ Σₖ (mᵢₖ log(mᵢₖ / pᵢₖ) + mᵢₖ log(mᵢₖ / qᵢₖ)) with p = softmax(t / τ), q = softmax(s / τ), m = (p + q) / 2, all
 * limited to 0.01..0.99.
 * Source: Yin et al., "Dreaming to Distill", CVPR 2020, eq. 6, as in its published code: divergences *from* the mean, where
 * the textbook has those *to* it.
 *
 * @param teacherLogits Shape `[batch, classes]`; gradients flow into both.
 * @returns A scalar, >= 0 but for the limits.
 */
export function jensenShannonLoss(tape: Tape, teacherLogits: Value, studentLogits: Value, temperature = 3): Value {
  const [p, q] = [teacherLogits, studentLogits].map((logits) => softmax(tape, affine(tape, logits, 1 / temperature)));
  const limit = (value: Value): Value => clip(tape, value, LEAST, MOST);
  const middle = limit(affine(tape, add(tape, p, q), 0.5));
  const logMiddle = affine(tape, log(tape, middle), 2);
  const logs = add(tape, log(tape, limit(p)), log(tape, limit(q)));
  return affine(tape, mean(tape, sum(tape, multiply(tape, middle, subtract(tape, logMiddle, logs)), [1])), 0.5);
}
