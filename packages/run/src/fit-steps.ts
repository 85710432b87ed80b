import { distill, type DistillOptions } from '@dafl/core';

/** How `fitSteps` measures. */
interface FitStepsOptions {
  /** Wall time that the run may take, > 0. */
  readonly timeBudgetMs: number;
  /** Share of the budget that is left for evaluations and for a machine that slows down, in [0, 1); default 0.1. */
  readonly reserve?: number;
}

const WARM_UP_STEPS = 3;
const MEASURED_STEPS = 5;

/**
 * How many steps fit a time budget on this machine: runs a few, throws them away, and divides. A run of that many
 * steps is an ordinary run, so it can be repeated and resumed.
 *
 * @returns At least 1.
 * @throws {RangeError} If `timeBudgetMs` is not > 0.
 */
export async function fitSteps(
  options: DistillOptions,
  { timeBudgetMs, reserve = 0.1 }: FitStepsOptions,
): Promise<number> {
  if (!(timeBudgetMs > 0))
    throw new RangeError(`Cannot fit steps as 'timeBudgetMs' must be > 0: current value is ${timeBudgetMs}`);
  const { clock = () => performance.now() } = options;
  const startedMs = clock();
  const trial: DistillOptions = {
    ...options,
    steps: WARM_UP_STEPS + MEASURED_STEPS,
    evaluation: undefined,
    sampleEvery: 0,
    checkpointEvery: 0,
    resume: undefined,
    clock,
  };
  let warmMs = startedMs;
  let stepMs = Infinity;
  for await (const event of distill(trial)) {
    if (event.event !== 'step') continue;
    if (event.step === WARM_UP_STEPS) warmMs = clock();
    if (event.step === trial.steps) {
      stepMs = (clock() - warmMs) / MEASURED_STEPS;
      break;
    }
  }
  options.signal?.throwIfAborted();
  const leftMs = timeBudgetMs * (1 - reserve) - (clock() - startedMs);
  return Math.max(1, Math.floor(leftMs / stepMs));
}
