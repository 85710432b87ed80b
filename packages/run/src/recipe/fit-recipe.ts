import type { Graph } from '@dafl/core';
import { fitLength } from './fit-length.ts';
import { fitMemory, type FittedRecipe } from './fit-memory.ts';
import { fitHints } from './fit-hints.ts';
import { fitNorms } from './fit-norms.ts';
import { fitStart } from './fit-start.ts';
import { fitUses } from './fit-uses.ts';
import type { DistillationOptions } from '../options/distillation-options.ts';
import { type Recipe, resolveRecipe } from './resolve-recipe.ts';

/**
 * What of a recipe depends on the networks, where the options leave it open: how tightly wide students are held, whether they are
 * fitted and whitened before the first step, what those from random weights learn with, how often batches are used, the size of the
 * batches, and the length.
 */
export function fitRecipe(given: DistillationOptions, asked: Recipe, teacher: Graph, student: Graph): FittedRecipe {
  const held = fitStart(fitHints(given, asked, student), asked, teacher, student);
  const options = fitUses(fitNorms(held, asked), asked, teacher, student);
  const recipe = options === given ? asked : resolveRecipe(options);
  const fitted = fitMemory(options, recipe, teacher, student);
  const { batchSize } = fitted.recipe;
  const sized = fitted.note === null ? options : { ...options, batchSize };
  return { ...fitted, recipe: fitLength(sized, fitted.recipe, teacher, student) };
}
