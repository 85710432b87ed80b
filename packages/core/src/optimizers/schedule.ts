import { fail } from '../check.ts';
import { showValue } from '../show-value.ts';

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
  | {
      readonly kind: 'cosine' | 'linear';
      /** In [0, 1], default 0. */
      readonly finalRatio?: number;
    }
  | { readonly kind: 'multiStep'; readonly milestones: readonly number[]; readonly factor: number }
);

/**
 * The learning rate at one step.
 *
 * @param step 0-based, below `steps`.
 * @param steps Length of the run, >= 1.
 * @throws {DaflError} `USAGE` if a number of the schedule is out of range.
 */
export function learningRateAt(schedule: Schedule, step: number, steps: number): number {
  assertSchedule(schedule);
  const { learningRate, warmupSteps = 0 } = schedule;
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

function assertSchedule(schedule: Schedule): void {
  const assert = (holds: boolean, name: string, rule: string, value: unknown): void => {
    if (holds) return;
    fail({ cannot: 'follow schedule', as: `'${name}' must ${rule}`, value: showValue(value) });
  };
  const { learningRate, warmupSteps = 0 } = schedule;
  assert(learningRate > 0 && learningRate < Infinity, 'learningRate', 'be > 0', learningRate);
  assert(Number.isInteger(warmupSteps) && warmupSteps >= 0, 'warmupSteps', 'be an integer >= 0', warmupSteps);
  if (schedule.kind === 'multiStep') {
    const { milestones, factor } = schedule;
    assert(
      milestones.every((milestone) => milestone > 0 && milestone < 1),
      'milestones',
      'be in (0, 1)',
      milestones,
    );
    assert(factor > 0 && factor < Infinity, 'factor', 'be > 0', factor);
  } else if (schedule.kind !== 'constant') {
    const { finalRatio = 0 } = schedule;
    assert(finalRatio >= 0 && finalRatio <= 1, 'finalRatio', 'be in [0, 1]', finalRatio);
  }
}
