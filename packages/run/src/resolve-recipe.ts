import { DaflError, dafl, type Method, type Preset, presets } from '@dafl/core';
import type { BackendName, DistillationOptions, MethodName } from './distillation-options.ts';
import { readHyperParameters, writeHyperParameters } from './hyper-parameters.ts';

/** What the options come to: core's terms, and the options with nothing left open but the number of steps. */
export interface Recipe {
  readonly method: Method;
  readonly training: Preset['training'];
  /** The length of the run, unless a time budget decides it. */
  readonly steps: number;
  readonly options: DistillationOptions;
}

/** Methods by name; a method reads what is its own in the preset. */
const methods: Readonly<Record<MethodName, (preset: Preset) => Method>> = {
  dafl: (preset) => dafl(preset.dafl),
};

/**
 * Turns options into a method, a training and a number of steps, by way of the preset that they name.
 *
 * @throws {DaflError} `USAGE` if options contradict each other.
 */
export function resolveRecipe(options: DistillationOptions): Recipe {
  if (options.steps !== undefined && options.timeBudgetMs !== undefined) {
    throw new DaflError(
      'USAGE',
      `Cannot distill as 'steps' and 'timeBudgetMs' must not be given both: current values are ${options.steps} and ${options.timeBudgetMs}`,
    );
  }
  const preset = writeHyperParameters(presets[options.preset], options);
  if (options.replayBatches === 0 && options.studentSteps !== undefined && options.studentSteps > 1) {
    throw new DaflError(
      'USAGE',
      `Cannot distill as 'studentSteps' must be 1 without replayed batches: current value is ${options.studentSteps}`,
    );
  }
  const method = methods[options.method](preset);
  return {
    method,
    training: preset.training,
    steps: options.steps ?? preset.steps,
    options: { ...options, ...readHyperParameters(preset) },
  };
}

/** The options of a run whose length is known: what repeats it exactly. */
export function settleOptions(
  recipe: Recipe,
  settled: { readonly steps: number; readonly backend: BackendName },
): DistillationOptions {
  const { timeBudgetMs: _, ...options } = recipe.options;
  const tenth = Math.max(1, Math.round(settled.steps / 10));
  return {
    ...options,
    ...settled,
    evaluateEvery: options.evaluateEvery ?? tenth,
    sampleEvery: options.sampleEvery ?? tenth,
  };
}
