import { DaflError, inheritChannels, type Model, takeLogits } from '@dafl/core';
import type { DistillationOptions } from '../options/distillation-options.ts';
import type { StudentSource } from '../models/load-model.ts';
import type { Recipe } from './resolve-recipe.ts';
import { startsFromTeacher } from './starts-from-teacher.ts';

/** The options, with random weights where no others can be had, and why that. */
export interface FittedInitialization {
  readonly options: DistillationOptions;
  /** Null where the options stay as they are. */
  readonly note: string | null;
}

/**
 * Says that a student starts from random weights, where it was to start from its teacher's and they do not fit: all that is chosen
 * for a start, such as the length, the fit and the learning rate, is then chosen for this one.
 */
export function fitInitialization(
  options: DistillationOptions,
  { training }: Pick<Recipe, 'training'>,
  teacher: Model,
  student: StudentSource,
): FittedInitialization {
  const mayFall = training.initialization === 'auto' && startsFromTeacher(options) && teacher.answer === undefined;
  if (!mayFall || student.weights !== undefined) return { options, note: null };
  try {
    // As they are distilled: without what stands behind the logits.
    inheritChannels({ ...teacher, graph: takeLogits(teacher.graph).graph }, takeLogits(student.graph).graph);
    return { options, note: null };
  } catch (error) {
    if (!(error instanceof DaflError && error.code === 'MODEL')) throw error;
    return {
      options: { ...options, initialization: 'random' },
      note: `The student starts from random weights. ${error.message}`,
    };
  }
}
