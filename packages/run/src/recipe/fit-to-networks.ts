import type { Model } from '@dafl/core';
import type { DistillationOptions } from '../options/distillation-options.ts';
import type { StudentSource } from '../models/load-model.ts';
import { fitInitialization } from './fit-initialization.ts';
import type { FittedRecipe } from './fit-memory.ts';
import { fitRecipe } from './fit-recipe.ts';
import { type Recipe, resolveRecipe } from './resolve-recipe.ts';

/** A recipe that the networks have had their say in. */
export interface NetworksRecipe extends FittedRecipe {
  /** Why the student starts from random weights, where it was to start from its teacher's; else null. */
  readonly startNote: string | null;
}

/** What of a recipe depends on the networks: where the student can start, then all that is chosen for that start. */
export function fitToNetworks(
  given: DistillationOptions,
  asked: Recipe,
  teacher: Model,
  student: StudentSource,
): NetworksRecipe {
  const { options, note } = fitInitialization(given, asked, teacher, student);
  const recipe = note === null ? asked : resolveRecipe(options);
  return { ...fitRecipe(options, recipe, teacher.graph, student.graph), startNote: note };
}
