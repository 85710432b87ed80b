import {
  type BackendName,
  distillationOptionsSchema,
  parseDistillationOptions,
  type SettledOptions,
} from '../options/distillation-options.ts';
import { describeOptions } from '../options/parse-options.ts';
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
  const flags = Object.entries(kept).flatMap(([key, value]) => {
    if (key === 'teacher' || value === undefined || value === false) return [];
    const name = `--${options[key].flag || kebabCase(key)}`;
    if (value === true) return [name];
    const text = quote(
      Array.isArray(value) ? value.join(',') : typeof value === 'string' ? value : JSON.stringify(value),
    );
    return [text.startsWith('-') ? `${name}=${text}` : `${name} ${text}`];
  });
  return ['dafl distill', quote(settled.teacher), ...flags].join(' ');
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

/** As the command line names its flags. */
function kebabCase(name: string): string {
  return name.replaceAll(/[A-Z0-9]+/g, (match, offset: number) =>
    offset === 0 || /\d/.test(match) ? match : `-${match.toLowerCase()}`,
  );
}

/** For a POSIX shell. */
function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
