import { check } from '../check.ts';
import { affine, exp, multiply, subtract } from '../autodiff/operations/element-wise.ts';
import { sum } from '../autodiff/operations/reduction.ts';
import { logSoftmax, softmax } from '../autodiff/operations/softmax.ts';
import { softmaxDivergence } from '../autodiff/operations/softmax-divergence.ts';
import { assertArguments } from '../autodiff/operations/_assert-arguments.ts';
import type { Tape, Value } from '../autodiff/tape.ts';

/** Options of `distillationLoss`. */
export interface DistillationLossOptions {
  /** τ > 0, dimensionless; default 1. */
  readonly temperature?: number;
}

/**
 * KL divergence from teacher to student, per example.
 *
 * Equation: ℓᵢ = τ² Σₖ pᵢₖ (log pᵢₖ - log qᵢₖ), p = softmax(teacherLogits / τ), q = softmax(studentLogits / τ).
 * Source: Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", 2015; Chen et al., ICCV 2019, eq. 1
 * with τ = 1 (the official code). Deviations: none.
 *
 * @param studentLogits Shape `[batch, classes]`, unnormalised.
 * @param teacherLogits Same shape. Gradient flows into it where it requires one (an adversarial generator).
 * @returns Shape `[batch]`, nats x τ².
 * @throws {DaflError} `SHAPE` if shapes differ.
 * @throws {DaflError} `USAGE` if `temperature` is not > 0.
 * @example
 * ```ts
 * // studentLogits [[1, 2]], teacherLogits [[2, 1]] -> [0.46212]
 * ```
 */
export function distillationLoss(
  tape: Tape,
  studentLogits: Value,
  teacherLogits: Value,
  options: DistillationLossOptions = {},
): Value {
  const { temperature = 1 } = options;
  check(temperature > 0, { cannot: 'compute distillationLoss', as: "'temperature' must be > 0", value: temperature });
  const { shape } = studentLogits;
  assertArguments.logits('distillationLoss', shape);
  assertArguments.sameShape('distillationLoss', 'teacherLogits', teacherLogits.shape, shape);
  const soften = (logits: Value): Value => (temperature === 1 ? logits : affine(tape, logits, 1 / temperature));
  if (!teacherLogits.requiresGradient) {
    const target = softmax(tape, soften(teacherLogits));
    return affine(tape, softmaxDivergence(tape, studentLogits, target, temperature), temperature ** 2);
  }
  const studentLogProbabilities = logSoftmax(tape, soften(studentLogits));
  const teacherLogProbabilities = logSoftmax(tape, soften(teacherLogits));
  const difference = subtract(tape, teacherLogProbabilities, studentLogProbabilities);
  return affine(tape, sum(tape, multiply(tape, exp(tape, teacherLogProbabilities), difference), [1]), temperature ** 2);
}
