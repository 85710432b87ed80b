import { abs, add, affine, subtract } from '../autodiff/operations/element-wise.ts';
import { meanSquaredDistance } from '../autodiff/operations/mean-squared-distance.ts';
import { mean } from '../autodiff/operations/reduction.ts';
import type { Tape, Value } from '../autodiff/tape.ts';
import type { Tensor } from '../backend.ts';
import { check } from '../check.ts';
import { crossEntropy } from './cross-entropy.ts';
import { distillationLoss } from './distillation.ts';

/** How a student's answers are compared with its teacher's, as data: of a training, or of one batch. */
export interface StudentLoss {
  /** `'divergence'`: KL at a temperature; `'l1'`: mean of |t - s|; `'mse'`: mean of (t - s)², both of the logits as they are. */
  readonly kind: 'divergence' | 'l1' | 'mse';
  /** τ of the divergence, > 0; default: the training's. */
  readonly temperature?: number;
  /** Weight of the cross-entropy with the batch's labels, where it brings any; >= 0, default 0. */
  readonly labelWeight?: number;
  /** Weight of the distance of the attention maps at the ends of the stages, >= 0, default 0. @see attentionMap */
  readonly attentionWeight?: number;
}

/** What the student's answers are compared with. */
export interface StudentLossTargets {
  /** Shape `[batch, classes]`. */
  readonly teacherLogits: Value;
  /** Int32, shape `[batch]`. */
  readonly labels?: Tensor;
  /** τ where the loss names none. */
  readonly temperature: number;
}

/** @throws {DaflError} `USAGE` if a field is out of range. */
export function assertStudentLoss({ temperature = 1, labelWeight = 0, attentionWeight = 0 }: StudentLoss): void {
  const assertField = (holds: boolean, name: string, rule: string, value: number): void => {
    check(holds, { cannot: 'train student', as: `'loss.${name}' must be ${rule}`, value });
  };
  assertField(temperature > 0, 'temperature', '> 0', temperature);
  assertField(labelWeight >= 0, 'labelWeight', '>= 0', labelWeight);
  assertField(attentionWeight >= 0, 'attentionWeight', '>= 0', attentionWeight);
}

/**
 * The loss of a student's answers, but for what lies inside the networks.
 *
 * Sources: Hinton et al., 2015 (divergence); Fang et al., "Data-Free Adversarial Distillation", 2019 (L1 of logits); Ba and
 * Caruana, "Do Deep Nets Really Need to be Deep?", 2014 (MSE of logits).
 *
 * @param studentLogits Shape `[batch, classes]`, unnormalised.
 * @returns A scalar.
 */
export function studentLoss(
  tape: Tape,
  studentLogits: Value,
  { kind, temperature, labelWeight = 0 }: StudentLoss,
  targets: StudentLossTargets,
): Value {
  const { teacherLogits, labels } = targets;
  const compare = (): Value => {
    if (kind === 'mse') return meanSquaredDistance(tape, studentLogits, teacherLogits);
    if (kind === 'l1') return mean(tape, abs(tape, subtract(tape, studentLogits, teacherLogits)));
    const options = { temperature: temperature ?? targets.temperature };
    return mean(tape, distillationLoss(tape, studentLogits, teacherLogits, options));
  };
  const loss = compare();
  if (labels === undefined || labelWeight === 0) return loss;
  return add(tape, loss, affine(tape, mean(tape, crossEntropy(tape, studentLogits, labels)), labelWeight));
}
