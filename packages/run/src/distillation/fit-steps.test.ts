import { createCpuBackend } from '@dafl/backend-cpu';
import { DaflError, type DistillOptions, presets, shrink } from '@dafl/core';
import { noise } from '@dafl/methods';
import { describe, expect, it } from 'vitest';
import { tinyTeacher } from '../../../../test-fixtures/tiny-teacher.ts';
import { fitSteps } from './fit-steps.ts';

const backend = createCpuBackend();
const teacher = tinyTeacher();

/** A run on a machine whose steps take `stepMs`, the first `slowSteps` of them ten times as long. */
function timedRun(stepMs: number, slowSteps = 0): DistillOptions {
  let now = 5000;
  const method = noise({ batchSize: 2 });
  return {
    backend,
    teacher,
    student: shrink(teacher.graph, 0.5),
    training: presets.fast.training,
    steps: 100,
    seed: 1,
    clock: () => now,
    method: {
      ...method,
      start(context) {
        const session = method.start(context);
        return {
          ...session,
          step(step) {
            now += step < slowSteps ? stepMs * 10 : stepMs;
            return session.step(step);
          },
        };
      },
    },
  };
}

describe('fitSteps', () => {
  it('divides what is left of the budget by the time of a step', async () => {
    // Four steps of 100 ms are tried.
    expect(await fitSteps(timedRun(100), { timeBudgetMs: 10_000 })).toBe(96);
  });

  it('measures for a share of the budget, where steps are short', async () => {
    // Thirty steps of 10 ms.
    expect(await fitSteps(timedRun(10), { timeBudgetMs: 10_000 })).toBe(970);
  });

  it('counts once what a method makes at the start of a run', async () => {
    // 1,000 and three times 100 ms are tried; 900 more are the run's own start.
    expect(await fitSteps(timedRun(100, 1), { timeBudgetMs: 10_000 })).toBe(78);
  });

  it('leaves room for what stands beside the steps', async () => {
    // 9,600 ms for n steps of 100 ms and an evaluation of 400 ms every ten.
    const besides = (steps: number): number => Math.ceil(steps / 10) * 400;
    expect(await fitSteps(timedRun(100), { timeBudgetMs: 10_000, besides })).toBe(68);
    // Half of the budget belongs to the steps.
    expect(await fitSteps(timedRun(100), { timeBudgetMs: 10_000, besides: () => 1e9 })).toBe(50);
  });

  it('gives one step at least, and tries no more than it must', async () => {
    expect(await fitSteps(timedRun(100), { timeBudgetMs: 100 })).toBe(1);
    // Three of 1,000 ms, or one of 4,000, are as much as measuring may take.
    expect(await fitSteps(timedRun(1_000), { timeBudgetMs: 10_000 })).toBe(7);
    expect(await fitSteps(timedRun(4_000), { timeBudgetMs: 10_000 })).toBe(1);
  });

  it('gives none where it is interrupted: a run of one step would be another run', async () => {
    const interrupted = fitSteps({ ...timedRun(100), signal: AbortSignal.abort() }, { timeBudgetMs: 500 });
    await expect(interrupted).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('leaves no tensor behind', async () => {
    await fitSteps(timedRun(100), { timeBudgetMs: 10_000 });
    expect(backend.memory().tensors).toBe(0);
  });

  it.each([0, -1, Number.NaN])('refuses a budget of %d', async (timeBudgetMs) => {
    await expect(fitSteps(timedRun(100), { timeBudgetMs })).rejects.toThrow(
      new DaflError('USAGE', `Cannot fit steps as 'timeBudgetMs' must be > 0: current value is ${timeBudgetMs}`),
    );
  });
});
