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
 * at the end 86.7 and 86.5 %: small networks have made it up after 60 steps, which take them a few seconds.
 */
const LEAST_OPERATIONS = 2_000_000;

/** Fits the layers of students before the first step, where the options leave that open and the networks are not small. */
export function fitStart(
  options: DistillationOptions,
  { options: { method } }: Recipe,
  teacher: Graph,
  student: Graph,
): DistillationOptions {
  const inherits = startsFromTeacher(options) && lowRankShare(options.student) === undefined;
  if (method !== 'procedural' || !inherits || updateOperations(teacher, student) <= LEAST_OPERATIONS) return options;
  return { ...options, studentFit: options.studentFit ?? 'layers' };
}
