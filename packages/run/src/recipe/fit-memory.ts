import { fail, type Graph } from '@dafl/core';
import type { BackendName, DistillationOptions } from '../options/distillation-options.ts';
import { type Recipe, resolveRecipe } from './resolve-recipe.ts';
import { halve, STEP_BYTES, type StepMemory } from './step-memory.ts';

/** A recipe whose steps fit into memory. */
export interface FittedRecipe {
  readonly recipe: Recipe;
  /** What was made smaller, in a sentence; null where nothing was. */
  readonly note: string | null;
}

/** What a wasm module can address. */
const WASM_BYTES = 2 ** 32;

const gibibytes = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);

/**
 * Halves the batches of a recipe until a step of these networks takes no more than 2.5 GiB, unless the options say how large they
 * are. Goes by shapes alone, so that the same options give the same run on any machine.
 */
export function fitMemory(options: DistillationOptions, recipe: Recipe, teacher: Graph, student: Graph): FittedRecipe {
  if (options.batchSize !== undefined) return { recipe, note: null };
  const { fixed, forEachImage } = recipe.stepMemory(teacher, student);
  const batchSize = halve(recipe.batchSize, (count) => fixed + count * forEachImage <= STEP_BYTES);
  if (batchSize === recipe.batchSize) return { recipe, note: null };
  return {
    recipe: resolveRecipe({ ...options, batchSize }),
    note: `Batches have ${batchSize} images, not ${recipe.batchSize}, so that a step of networks of this size fits into ${gibibytes(STEP_BYTES)} GiB; --batch-size decides otherwise`,
  };
}

/**
 * Refuses before the first step what cannot be computed.
 *
 * @throws {DaflError} `OUT_OF_MEMORY` if a step takes more than the backend can address; names a size that fits.
 */
export function assertFits(recipe: Recipe, backend: BackendName, memory: StepMemory): void {
  if (backend !== 'wasm') return;
  const { fixed, forEachImage } = memory;
  const bytes = fixed + recipe.batchSize * forEachImage;
  if (bytes <= WASM_BYTES) return;
  const fitting = Math.floor((STEP_BYTES - fixed) / forEachImage);
  const rule =
    fitting >= 2
      ? `'batchSize' must be about ${fitting} at most for networks of this size to fit into ${gibibytes(WASM_BYTES)} GiB`
      : `a step must fit into ${gibibytes(WASM_BYTES)} GiB, which networks of this size do at no batch size (other backends have more)`;
  fail({
    code: 'OUT_OF_MEMORY',
    cannot: 'distill on wasm',
    as: rule,
    value: `${recipe.batchSize}, which takes about ${gibibytes(bytes)} GiB`,
  });
}
