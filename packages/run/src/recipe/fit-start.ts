import type { Graph } from '@dafl/core';
import type { DistillationOptions } from '../options/distillation-options.ts';
import { lowRankShare } from '../options/low-rank-share.ts';
import type { Recipe } from './resolve-recipe.ts';
import { startsFromTeacher } from './starts-from-teacher.ts';
import { updateOperations } from './update-operations.ts';

/**
 * Multiply-accumulates of an update, for each image. LeNet-5 (0.5 million) is as far after 375 steps with fit and whitening as
 * after 600 without, and no further; other networks without batch norms (from 3 million on) get much further.
 */
const LEAST_OPERATIONS = 2_000_000;

/**
 * Of whitened students, which are near their teacher at the first step. On validation images, 3e-3 and 8e-4: half a CNN with
 * strides and folded batch norms 82.1 and 81.5 %, half a LeNet-5 of Fashion-MNIST 85.6 and 86.4 %.
 */
const LEARNING_RATE = 1e-3;

/**
 * Fits the layers of students without batch norms before the first step, and whitens what they read, where the options leave
 * that open and networks are not small. On validation images after 375 steps, half a CNN with strides and folded batch norms
 * without either, with the fit, with both (at 3e-3): 73.9, 75.9 and 82.1 %. Batch norms do by themselves most of what whitening does: in
 * trials a residual CNN of CIFAR-10 and `airbench-0.75` gained nothing.
 */
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
  const { studentFit = 'layers', studentWhitening = 'inputs', studentLearningRate } = options;
  const usual = studentWhitening === 'inputs' ? LEARNING_RATE : undefined;
  return { ...options, studentFit, studentWhitening, studentLearningRate: studentLearningRate ?? usual };
}
