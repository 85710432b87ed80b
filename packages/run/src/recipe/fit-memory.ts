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

/** Of a machine's memory, what a step may take: models, images and checkpoints lie beside it, and other programs. */
const MACHINE_SHARE = 0.6;

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
 * Refuses before the first step what cannot be computed: what takes more than the backend can address, or than the machine has.
 *
 * @param machineBytes Memory of the machine.
 * @throws {DaflError} `OUT_OF_MEMORY`; names a size that fits.
 */
export function assertFits(recipe: Recipe, backend: BackendName, memory: StepMemory, machineBytes: number): void {
  // A GPU has memory of its own, of which nothing is known.
  if (backend === 'webgpu') return;
  const isWasm = backend === 'wasm';
  const ofMachine = MACHINE_SHARE * machineBytes;
  const most = isWasm ? Math.min(WASM_BYTES, ofMachine) : ofMachine;
  const { fixed, forEachImage } = memory;
  const bytes = fixed + recipe.batchSize * forEachImage;
  if (bytes <= most) return;
  const fitting = Math.floor(((STEP_BYTES / WASM_BYTES) * most - fixed) / forEachImage);
  const others = isWasm && ofMachine > most ? ' (other backends have more)' : '';
  const rule =
    fitting >= 2
      ? `'batchSize' must be about ${fitting} at most for networks of this size to fit into ${gibibytes(most)} GiB`
      : `a step must fit into ${gibibytes(most)} GiB, which networks of this size do at no batch size${others}`;
  fail({
    code: 'OUT_OF_MEMORY',
    cannot: `distill on ${backend}`,
    as: rule,
    value: `${recipe.batchSize}, which takes about ${gibibytes(bytes)} GiB`,
  });
}
