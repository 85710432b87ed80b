import { affine, log, multiply } from '../autodiff/operations/element-wise.ts';
import { mean, sum } from '../autodiff/operations/reduction.ts';
import { softmax } from '../autodiff/operations/softmax.ts';
import type { Tape, Value } from '../autodiff/tape.ts';

/** Smallest float32 with full precision: keeps the logarithm of a class that no image reached finite. */
const SMALLEST_NORMAL = 1.1754943508222875e-38;

/**
 * Information-entropy loss: how unevenly a batch covers the classes. A batch-level loss: one scalar.
 *
 * Equation: L = Σₖ p̄ₖ log₁₀ p̄ₖ with p̄ = meanᵢ softmax(yᵢ), the negative entropy in decimal digits.
 * Source: Chen et al., ICCV 2019, eq. 4; base 10 and the missing 1/k as in the official code. Deviations: p̄ is raised
 * by the smallest normal float32 inside the logarithm, where the code has NaN for a probability of 0.
 *
 * @param teacherLogits Shape `[batch, classes]`, unnormalised.
 * @returns Shape `[]`, in [-log₁₀(classes), 0]; the floor is reached when all classes are equally likely.
 * @example
 * ```ts
 * // teacherLogits [[10, 0], [0, 10]] -> -0.3010
 * ```
 */
export function informationEntropyLoss(tape: Tape, teacherLogits: Value): Value {
  const meanProbabilities = mean(tape, softmax(tape, teacherLogits), [0]);
  const logProbabilities = log(tape, affine(tape, meanProbabilities, 1, SMALLEST_NORMAL));
  return affine(tape, sum(tape, multiply(tape, meanProbabilities, logProbabilities)), 1 / Math.LN10);
}
