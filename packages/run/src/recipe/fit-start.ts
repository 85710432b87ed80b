import type { Graph } from '@dafl/core';
import type { DistillationOptions } from '../options/distillation-options.ts';
import { lowRankShare } from '../options/low-rank-share.ts';
import type { Recipe } from './resolve-recipe.ts';
import { startsFromTeacher } from './starts-from-teacher.ts';

/**
 * Of whitened students that are near their teacher at the first step. On validation images, 3e-3, 1.5e-3, 8e-4 and 4e-4: half a
 * LeNet-5 of Fashion-MNIST 85.6, 86.3, 86.4 and 86.6 %, half a CNN with strides and folded batch norms 82.1, -, 81.5 and - %.
 */
const LEARNING_RATE = 1e-3;

/**
 * Fits the layers of students without batch norms before the first step, and whitens what they read, where the options leave
 * that open. On validation images after 375 steps, half students without and with both: a CNN with strides and folded batch
 * norms 73.9 and 82.1 %, LeNet-5 of Fashion-MNIST 85.7 and 86.5 %, of MNIST 99.12 and 99.27 %. Batch norms do by themselves
 * most of what whitening does: in trials a residual CNN of CIFAR-10 and `airbench-0.75` gained nothing.
 */
export function fitStart(
  options: DistillationOptions,
  { options: { method } }: Recipe,
  student: Graph,
): DistillationOptions {
  const inherits = startsFromTeacher(options) && lowRankShare(options.student) === undefined;
  const isSteady = student.nodes.some(({ kind }) => kind === 'batchNorm');
  if (method !== 'procedural' || !inherits || isSteady) return options;
  const { studentFit = 'layers', studentWhitening = 'inputs', studentLearningRate } = options;
  const usual = studentWhitening === 'inputs' ? LEARNING_RATE : undefined;
  return { ...options, studentFit, studentWhitening, studentLearningRate: studentLearningRate ?? usual };
}
