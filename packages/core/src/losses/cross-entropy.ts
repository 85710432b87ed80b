import { fail } from '../check.ts';
import type { Tensor } from '../backend.ts';
import { affine } from '../autodiff/operations/element-wise.ts';
import { softmaxDivergence } from '../autodiff/operations/softmax-divergence.ts';
import { assertArguments } from '../autodiff/operations/_assert-arguments.ts';
import type { Tape, Value } from '../autodiff/tape.ts';

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions {
  /** Share of the target that is spread over all classes alike, in [0, 1); default 0. */
  readonly labelSmoothing?: number;
}

/**
 * Cross-entropy of logits with given labels, per example: ℓᵢ = -Σₖ tᵢₖ log softmax(xᵢ)ₖ, where t is one-hot or, with
 * label smoothing s, (1 - s) x one-hot + s / classes (Szegedy et al., "Rethinking the Inception Architecture", 2016).
 *
 * @param logits Shape `[batch, classes]`, unnormalised.
 * @param labels Int32, shape `[batch]`, in 0..classes-1. The caller keeps it.
 * @returns Shape `[batch]`, nats.
 * @throws {DaflError} `SHAPE` if shapes differ.
 * @example
 * ```ts
 * // logits [[0, 0]], labels [1] -> [0.6931]
 * ```
 */
export function crossEntropy(
  tape: Tape,
  logits: Value,
  labels: Tensor,
  { labelSmoothing = 0 }: CrossEntropyOptions = {},
): Value {
  const [batch, classes] = logits.shape;
  assertArguments.logits('crossEntropy', logits.shape);
  assertArguments.sameShape('crossEntropy', 'labels', labels.shape, [batch]);
  if (!(labelSmoothing >= 0 && labelSmoothing < 1)) {
    fail({ cannot: 'compute crossEntropy', as: "'labelSmoothing' must be in [0, 1)", value: labelSmoothing });
  }
  const oneHot = tape.own(tape.backend.oneHot(labels, classes));
  if (labelSmoothing === 0) return softmaxDivergence(tape, logits, oneHot);
  const other = labelSmoothing / classes;
  const own = 1 - labelSmoothing + other;
  const target = affine(tape, oneHot, own - other, other);
  const targetEntropy = -own * Math.log(own) - (classes - 1) * other * Math.log(other);
  return affine(tape, softmaxDivergence(tape, logits, target), 1, targetEntropy);
}
