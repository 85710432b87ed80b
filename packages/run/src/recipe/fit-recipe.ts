import type { Graph } from '@dafl/core';
import { fitLength } from './fit-length.ts';
import { fitMemory, type FittedRecipe } from './fit-memory.ts';
import type { DistillationOptions } from '../options/distillation-options.ts';
import type { Recipe } from './resolve-recipe.ts';

/** What of a recipe depends on the networks, where the options leave it open: the size of its batches, and its length. */
export function fitRecipe(options: DistillationOptions, recipe: Recipe, teacher: Graph, student: Graph): FittedRecipe {
  const fitted = fitMemory(options, recipe, teacher, student);
  // Networks whose batches had to be made smaller are not small.
  return fitted.note === null ? { ...fitted, recipe: fitLength(options, recipe, teacher, student) } : fitted;
}
