import { check, distill, type DistillOptions } from '@dafl/core';

/** How `fitSteps` measures. */
interface FitStepsOptions {
  /** Wall time that is left for the run and its measuring, > 0. */
  readonly timeBudgetMs: number;
  /** What a run of so many steps takes beside its steps; default: nothing. Must not fall with the steps. */
  readonly besides?: (steps: number) => number;
}

/** Of the budget that is measured for, where steps are short: few of them mislead. */
const MEASURED_SHARE = 0.03;
const LEAST_STEPS = 4;
const MOST_STEPS = 400;
/** Of the budget, after which fewer steps have to do: the first is often unlike the others. */
const SLOW_SHARE = 0.2;
const LEAST_SLOW_STEPS = 3;
const MOST_SHARE = 0.4;

/**
 * About how many steps fit a time budget on this machine: runs a few, throws them away, and divides. What a run is planned
 * for; a `TimeKeeper` holds it to the time.
 *
 * @returns At least 1; at least what fills half of the budget, whatever stands beside the steps.
 * @throws {DaflError} `USAGE` if `timeBudgetMs` is not > 0. `AbortError` if the signal is aborted.
 */
export async function fitSteps(
  options: DistillOptions,
  { timeBudgetMs, besides = () => 0 }: FitStepsOptions,
): Promise<number> {
  check(timeBudgetMs > 0, { cannot: 'fit steps', as: "'timeBudgetMs' must be > 0", value: timeBudgetMs });
  const { clock = () => performance.now() } = options;
  const startedMs = clock();
  const firstMs: number[] = [];
  let lastMs = startedMs;
  for await (const event of distill({ ...options, clock, evaluation: undefined, resume: undefined })) {
    const nowMs = clock();
    if (event.event === 'step') firstMs.push(nowMs - lastMs);
    lastMs = nowMs;
    const share = (nowMs - startedMs) / timeBudgetMs;
    const count = firstMs.length;
    if ((count >= LEAST_STEPS && share >= MEASURED_SHARE) || count >= MOST_STEPS) break;
    if ((count >= LEAST_SLOW_STEPS && share >= SLOW_SHARE) || (count > 0 && share >= MOST_SHARE)) break;
  }
  options.signal?.throwIfAborted();
  // The first allocates, compiles and makes what a method begins with.
  const [first, ...others] = firstMs;
  const stepMs = Math.max(
    1e-3,
    others.length === 0 ? first : others.reduce((total, ms) => total + ms, 0) / others.length,
  );
  const leftMs = timeBudgetMs - (clock() - startedMs) - Math.max(0, first - stepMs);
  const most = Math.max(0, Math.floor(leftMs / stepMs));
  let [fits, tooMany] = [0, most + 1];
  while (tooMany - fits > 1) {
    const steps = Math.floor((fits + tooMany) / 2);
    if (steps * stepMs + besides(steps) <= leftMs) fits = steps;
    else tooMany = steps;
  }
  return Math.max(1, fits, Math.floor(Math.min(most, timeBudgetMs / 2 / stepMs)));
}
