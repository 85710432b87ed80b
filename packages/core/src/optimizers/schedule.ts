import { DaflError } from '../errors.ts';

/**
 * How a learning rate moves over a run, as data. Each form starts with `warmupSteps` steps of linear rise.
 *
 * - `constant`: `learningRate` throughout.
 * - `cosine`: half a cosine from `learningRate` to `learningRate x finalRatio` (Loshchilov and Hutter, 2017).
 * - `linear`: a straight line from `learningRate` to `learningRate x finalRatio`; with a warm-up, a triangle.
 * - `multiStep`: times `factor` from each of the `milestones` on (shares of the run in (0, 1)).
 */
export type Schedule = {
  /** > 0. */
  readonly learningRate: number;
  /** >= 0, default 0. */
  readonly warmupSteps?: number;
} & (
  | { readonly kind: 'constant' }
  | { readonly kind: 'cosine' | 'linear'; readonly finalRatio?: number }
  | { readonly kind: 'multiStep'; readonly milestones: readonly number[]; readonly factor: number }
);

/**
 * The learning rate at one step.
 *
 * @param step 0-based, below `steps`.
 * @param steps Length of the run, >= 1.
 * @throws {DaflError} `USAGE` if the learning rate is not > 0.
 */
export function learningRateAt(schedule: Schedule, step: number, steps: number): number {
  const { learningRate, warmupSteps = 0 } = schedule;
  if (!(learningRate > 0)) {
    throw new DaflError(
      'USAGE',
      `Cannot follow schedule as 'learningRate' must be > 0: current value is ${learningRate}`,
    );
  }
  if (step < warmupSteps) return (learningRate * (step + 1)) / warmupSteps;
  switch (schedule.kind) {
    case 'constant':
      return learningRate;
    case 'cosine':
    case 'linear': {
      const { finalRatio = 0 } = schedule;
      const share = (step - warmupSteps) / Math.max(1, steps - warmupSteps);
      const left = schedule.kind === 'linear' ? 1 - share : (1 + Math.cos(Math.PI * share)) / 2;
      return learningRate * (finalRatio + (1 - finalRatio) * left);
    }
    case 'multiStep':
      return (
        learningRate * schedule.factor ** schedule.milestones.filter((milestone) => step >= milestone * steps).length
      );
  }
}
