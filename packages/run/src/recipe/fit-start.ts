import type { Graph } from '@dafl/core';
import type { DistillationOptions } from '../options/distillation-options.ts';
import { lowRankShare } from '../options/low-rank-share.ts';
import type { Recipe } from './resolve-recipe.ts';
import { startsFromTeacher } from './starts-from-teacher.ts';
import { updateOperations } from './update-operations.ts';

/**
 * Multiply-accumulates of an update, for each image. On validation images, half students without and with the fit, before the
 * first step and at the end: a CNN with strides and folded batch norms (3.5 million) 5.6 and 65.8 %, at the end 73.9 and
 * 75.9 %; LeNet-5 (0.5) of MNIST 44.0 and 97.3 %, at the end 99.19 and 99.20 % (three seeds), of Fashion-MNIST 63.8 and 84.9 %,
 * at the end 86.7 and 86.5 %: small networks have made it up after 60 steps, which take them a few seconds. So have those
 * whose batch norms bring values back to their size: in trials a residual CNN of CIFAR-10 and `airbench-0.75` gained nothing.
 */
const LEAST_OPERATIONS = 2_000_000;

/** Fits the layers of students before the first step, where the options leave that open: of networks without batch norms that are not small. */
export function fitStart(
  options: DistillationOptions,
  { options: { method } }: Recipe,
  teacher: Graph,
  student: Graph,
): DistillationOptions {
  const inherits = startsFromTeacher(options) && lowRankShare(options.student) === undefined;
  const isSteady = student.nodes.some(({ kind }) => kind === 'batchNorm');
  const isSmall = updateOperations(teacher, student) <= LEAST_OPERATIONS;
  if (method !== 'procedural' || !inherits || isSteady || isSmall) return options;
  return { ...options, studentFit: options.studentFit ?? 'layers' };
}
