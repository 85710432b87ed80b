import {
  type BackendName,
  distillationOptionsSchema,
  parseDistillationOptions,
  type SettledOptions,
} from '../options/distillation-options.ts';
import { flagName } from '../options/flag-name.ts';
import { describeOptions } from '../options/parse-options.ts';
import { writeCommand } from '../options/write-command.ts';
import { resolveRecipe, settleOptions } from './resolve-recipe.ts';

/** What changes no student: how many threads, how the run was watched. */
const SILENT: ReadonlySet<string> = new Set([
  'threads',
  'allowSoftwareGpu',
  'timeBudgetMs',
  'tensorboard',
  'checkpointEvery',
]);
/** Said even where they are the default, which may change. */
const SAID: ReadonlySet<string> = new Set(['teacher', 'method', 'steps', 'seed', 'backend']);

/**
 * The command that repeats a run: its teacher, and the fewest options that come to the same ones.
 *
 * @returns Null where no command does: a run whose length changed on the way needs its run.json.
 */
export function repeatCommand(settled: SettledOptions): string | null {
  if (settled.pace !== undefined) return null;
  const options = describeOptions(distillationOptionsSchema);
  const wanted = JSON.stringify(settle(settled));
  const kept: Record<string, unknown> = { ...settled };
  for (const key of Object.keys(settled).reverse()) {
    if (SAID.has(key)) continue;
    const { [key]: _, ...fewer } = kept;
    if (SILENT.has(key) || JSON.stringify(settle(fewer)) === wanted) delete kept[key];
  }
  const flags = Object.entries(kept).filter(
    ([key, value]) => key !== 'teacher' && value !== undefined && value !== false,
  );
  return writeCommand(
    ['dafl', 'distill', settled.teacher],
    flags.map(([key, value]) => [`--${flagName(key, options[key])}`, value]),
  );
}

/** What options come to, in the order of their names; what is silent left out. Null where they contradict each other. */
function settle(given: object): object | null {
  try {
    const recipe = resolveRecipe(parseDistillationOptions(given));
    const { steps, backend } = given as SettledOptions;
    const settled = settleOptions(recipe, { steps: steps ?? recipe.steps, backend: backend as BackendName });
    return Object.entries(settled)
      .filter(([name, value]) => value !== undefined && !SILENT.has(name))
      .sort(([one], [other]) => (one < other ? -1 : 1));
  } catch {
    return null;
  }
}
