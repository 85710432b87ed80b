import { abs, affine } from '../autodiff/operations/element-wise.ts';
import { mean } from '../autodiff/operations/reduction.ts';
import type { Tape, Value } from '../autodiff/tape.ts';

/**
 * Activation loss: images on which the teacher's features are large look more like what it was trained on. Per example.
 *
 * Equation: ℓᵢ = -‖fᵢ‖₁ / featureSize.
 * Source: Chen et al., ICCV 2019, eq. 3; the mean over features (where the paper has the norm) as in the official code.
 *
 * @param features Shape `[batch, ...]`: what the teacher's dense head reads.
 * @returns Shape `[batch]`, <= 0, in units of activation.
 * @example
 * ```ts
 * // features [[1, -3]] -> [-2]
 * ```
 */
export function activationLoss(tape: Tape, features: Value): Value {
  const axes = features.shape.slice(1).map((_, index) => index + 1);
  return affine(tape, mean(tape, abs(tape, features), axes), -1);
}
