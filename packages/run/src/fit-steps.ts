import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Checkpoint, DaflError, distill, type DistillOptions, type SamplesEvent } from '@dafl/core';
import { CheckpointStore } from './checkpoint-store.ts';
import { renderSamplesImage } from './samples-image.ts';

/** What parts of a run take on this machine, in milliseconds. */
export interface MeasuredTimes {
  /** That each further step adds to a run. */
  readonly stepMs: number;
  /** That a run of no steps would take. */
  readonly startMs: number;
  /** One picture of the samples, drawn and rendered. */
  readonly samplesMs: number;
  /** Checkpoints, for each step between them. */
  readonly checkpointMsPerStep: number;
}

/** How `fitSteps` measures. */
interface FitStepsOptions {
  /** Wall time that is left for the run and its measuring, > 0. */
  readonly timeBudgetMs: number;
  /** What a run of so many steps takes beside its steps; default: nothing. Must not fall with the steps. */
  readonly besides?: (steps: number, measured: MeasuredTimes) => number;
  /** Share of the budget that is left for a machine that slows down, in [0, 1); default 0.03. */
  readonly reserve?: number;
}

/** Allocates and compiles. */
const WARM_UP_STEPS = 1;
/** Of two short runs whose difference is measured, each whole: methods do other things at the end than at the beginning. */
const SHORT_TRIAL_STEPS = 2;
const LEAST_TRIAL_STEPS = 8;
const MOST_TRIAL_STEPS = 400;
const SAMPLED_AFTER = 3;
const SAVED_AFTER = 6;
/** Of the budget that the longer one takes at least: short ones mislead. */
const MEASURED_SHARE = 0.1;

/**
 * How many steps fit a time budget on this machine: runs some, throws them away, and divides. A run of that many
 * steps is an ordinary run, so it can be repeated and resumed.
 *
 * @returns At least 1; at least what fills half of the budget, whatever stands beside the steps.
 * @throws {DaflError} `USAGE` if `timeBudgetMs` is not > 0. `AbortError` if the signal is aborted.
 */
export async function fitSteps(
  options: DistillOptions,
  { timeBudgetMs, besides = () => 0, reserve = 0.03 }: FitStepsOptions,
): Promise<number> {
  if (!(timeBudgetMs > 0))
    throw new DaflError('USAGE', `Cannot fit steps as 'timeBudgetMs' must be > 0: current value is ${timeBudgetMs}`);
  const { clock = () => performance.now() } = options;
  const startedMs = clock();
  await measure({ ...options, clock, steps: WARM_UP_STEPS });
  const short = await measure({ ...options, clock, steps: SHORT_TRIAL_STEPS });
  const wanted = Math.ceil((SHORT_TRIAL_STEPS * timeBudgetMs * MEASURED_SHARE) / Math.max(short.stepsMs, 1e-3));
  const trialSteps = Math.max(LEAST_TRIAL_STEPS, Math.min(MOST_TRIAL_STEPS, wanted));
  const { stepsMs, ...parts } = await measure({ ...options, clock, steps: trialSteps });
  // Where the difference is lost in noise, the mean.
  const added = (stepsMs - short.stepsMs) / (trialSteps - SHORT_TRIAL_STEPS);
  const stepMs = added > 0 ? added : stepsMs / trialSteps;
  const measured: MeasuredTimes = {
    ...parts,
    stepMs,
    startMs: Math.max(0, short.stepsMs - SHORT_TRIAL_STEPS * stepMs),
  };
  const leftMs = timeBudgetMs * (1 - reserve) - (clock() - startedMs);
  const most = Math.floor((leftMs - measured.startMs) / stepMs);
  let [fits, tooMany] = [0, Math.max(0, most) + 1];
  while (tooMany - fits > 1) {
    const steps = Math.floor((fits + tooMany) / 2);
    if (measured.startMs + steps * stepMs + besides(steps, measured) <= leftMs) fits = steps;
    else tooMany = steps;
  }
  return Math.max(1, fits, Math.floor(Math.min(most, timeBudgetMs / 2 / stepMs)));
}

/** Runs a short run and times its parts. */
async function measure(
  options: DistillOptions & { clock: () => number },
): Promise<Omit<MeasuredTimes, 'stepMs' | 'startMs'> & { readonly stepsMs: number }> {
  const { clock } = options;
  const trial: DistillOptions = {
    ...options,
    evaluation: undefined,
    sampleEvery: SAMPLED_AFTER,
    checkpointEvery: SAVED_AFTER,
    resume: undefined,
  };
  let stepsMs = 0;
  let samplesMs: number | undefined;
  let checkpointMsPerStep: number | undefined;
  let lastMs = clock();
  for await (const event of distill(trial)) {
    const spentMs = clock() - lastMs;
    if (event.event === 'step') stepsMs += spentMs;
    if (event.event === 'samples') samplesMs ??= spentMs + timeRendering(event, clock);
    if (event.event === 'checkpoint')
      checkpointMsPerStep ??= (spentMs + (await timeSaving(event.checkpoint, clock))) / event.step;
    lastMs = clock();
    if (event.event === 'step' && event.step === trial.steps) break;
  }
  options.signal?.throwIfAborted();
  return {
    stepsMs,
    samplesMs: samplesMs ?? 0,
    checkpointMsPerStep: checkpointMsPerStep ?? 0,
  };
}

function timeRendering(samples: SamplesEvent, clock: () => number): number {
  const startedMs = clock();
  renderSamplesImage(samples);
  return clock() - startedMs;
}

async function timeSaving(checkpoint: Checkpoint, clock: () => number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'dafl-trial-'));
  try {
    const startedMs = clock();
    await new CheckpointStore(folder).save(checkpoint);
    return clock() - startedMs;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
