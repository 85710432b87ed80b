import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Checkpoint, DaflError, distill, type DistillOptions, type SamplesEvent } from '@dafl/core';
import { CheckpointStore } from './checkpoint-store.ts';
import { renderSamplesImage } from './samples-image.ts';

/** What parts of a run take on this machine, in milliseconds. */
export interface MeasuredTimes {
  readonly stepMs: number;
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

const WARM_UP_STEPS = 3;
const MEASURED_STEPS = 5;
/** Of the budget that is measured at least: short measurings mislead. */
const MEASURED_SHARE = 0.05;

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
  const measured = await measure({ ...options, clock }, timeBudgetMs * MEASURED_SHARE);
  const leftMs = timeBudgetMs * (1 - reserve) - (clock() - startedMs);
  const most = Math.floor(leftMs / measured.stepMs);
  let [fits, tooMany] = [0, Math.max(0, most) + 1];
  while (tooMany - fits > 1) {
    const steps = Math.floor((fits + tooMany) / 2);
    if (steps * measured.stepMs + besides(steps, measured) <= leftMs) fits = steps;
    else tooMany = steps;
  }
  return Math.max(1, fits, Math.floor(Math.min(most, timeBudgetMs / 2 / measured.stepMs)));
}

/** Runs the first steps of the run, at least for a time. */
async function measure(options: DistillOptions & { clock: () => number }, leastMs: number): Promise<MeasuredTimes> {
  const { clock } = options;
  const trial: DistillOptions = {
    ...options,
    evaluation: undefined,
    sampleEvery: WARM_UP_STEPS,
    checkpointEvery: WARM_UP_STEPS + MEASURED_STEPS,
    resume: undefined,
    steps: Math.max(options.steps, WARM_UP_STEPS + MEASURED_STEPS + 1),
  };
  const steps: number[] = [];
  let samplesMs: number | undefined;
  let checkpointMsPerStep: number | undefined;
  const startedMs = clock();
  let lastMs = startedMs;
  for await (const event of distill(trial)) {
    const spentMs = clock() - lastMs;
    if (event.event === 'step' && event.step > WARM_UP_STEPS) steps.push(spentMs);
    if (event.event === 'samples') samplesMs ??= spentMs + timeRendering(event, clock);
    if (event.event === 'checkpoint')
      checkpointMsPerStep ??= (spentMs + (await timeSaving(event.checkpoint, clock))) / event.step;
    lastMs = clock();
    if (steps.length >= MEASURED_STEPS && checkpointMsPerStep !== undefined && lastMs - startedMs >= leastMs) break;
  }
  options.signal?.throwIfAborted();
  const stepMs = steps.reduce((sum, ms) => sum + ms, 0) / steps.length;
  return { stepMs, samplesMs: samplesMs ?? 0, checkpointMsPerStep: checkpointMsPerStep ?? 0 };
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
