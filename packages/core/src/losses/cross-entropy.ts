import type { Tensor } from '../backend.ts';
import { softmaxDivergence } from '../autodiff/operations/softmax-divergence.ts';
import { assertShape } from '../autodiff/operations/_shape.ts';
import type { Tape, Value } from '../autodiff/tape.ts';

/**
 * Cross-entropy of logits with given labels, per example: ℓᵢ = -log softmax(xᵢ)[labelᵢ].
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
export function crossEntropy(tape: Tape, logits: Value, labels: Tensor): Value {
  const [batch, classes] = logits.shape;
  assertShape(
    labels.shape.length === 1 && labels.shape[0] === batch,
    'crossEntropy',
    'labels',
    `have shape [${batch}]`,
    labels.shape,
  );
  return softmaxDivergence(tape, logits, tape.own(tape.backend.oneHot(labels, classes)));
}
