import type { Tape, Value } from '../autodiff/tape.ts';
import { crossEntropy } from './cross-entropy.ts';

/**
 * One-hot loss: how far the teacher is from being sure of an image, per example.
 *
 * Equation: ℓᵢ = Hcross(yᵢ, tᵢ) with the pseudo-label tᵢ = argmaxⱼ (yᵢ)ⱼ, which is taken as given.
 * Source: Chen et al., ICCV 2019, eq. 2. Deviations: none.
 *
 * @param teacherLogits Shape `[batch, classes]`, unnormalised.
 * @returns Shape `[batch]`, nats, in [0, log(classes)].
 * @example
 * ```ts
 * // teacherLogits [[0, 0]] -> [0.6931]; [[10, 0]] -> [0.00005]
 * ```
 */
export function oneHotLoss(tape: Tape, teacherLogits: Value): Value {
  const { backend } = tape;
  const pseudoLabels = backend.argMax(teacherLogits.tensor);
  const loss = crossEntropy(tape, teacherLogits, pseudoLabels);
  backend.dispose(pseudoLabels);
  return loss;
}
