import { affine, multiply } from '../autodiff/operations/element-wise.ts';
import { mean } from '../autodiff/operations/reduction.ts';
import type { Tape, Value } from '../autodiff/tape.ts';
import { distillationLoss } from './distillation.ts';

/** Options of `adversarialLoss`. */
export interface AdversarialLossOptions {
  /** Whether only images on which both name the same class count: others are wrong already. */
  readonly masked: boolean;
}

/**
 * What sends images where the student errs: minus the divergence from teacher to student, a scalar.
 *
 * Equation: ℓ = -meanᵢ mᵢ KL(softmax tᵢ ‖ softmax sᵢ), with mᵢ = 1 or, masked, 1 where argmax tᵢ = argmax sᵢ and else 0.
 * Sources: Micaelli and Storkey, "Zero-Shot Knowledge Transfer via Adversarial Belief Matching", NeurIPS 2019; masked as
 * in Fang et al., "Contrastive Model Inversion", IJCAI 2021, eq. 5.
 *
 * @param teacherLogits Shape `[batch, classes]`; gradients flow into both.
 */
export function adversarialLoss(
  tape: Tape,
  teacherLogits: Value,
  studentLogits: Value,
  { masked }: AdversarialLossOptions,
): Value {
  const divergence = distillationLoss(tape, studentLogits, teacherLogits);
  if (!masked) return affine(tape, mean(tape, divergence), -1);
  const { backend } = tape;
  const classes = teacherLogits.shape[1];
  const [teacher, student] = [teacherLogits, studentLogits].map(({ tensor }) => {
    const labels = backend.argMax(tensor);
    const row = backend.oneHot(labels, classes);
    backend.dispose(labels);
    return row;
  });
  const both = backend.binary('multiply', teacher, student);
  const mask = tape.own(backend.reduce('sum', both, [1], false));
  for (const tensor of [teacher, student, both]) backend.dispose(tensor);
  return affine(tape, mean(tape, multiply(tape, divergence, mask)), -1);
}
