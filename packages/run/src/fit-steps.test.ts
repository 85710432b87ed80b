import { createCpuBackend } from '@dafl/backend-cpu';
import { DaflError, type DistillOptions, presets, shrink } from '@dafl/core';
import { noise } from '@dafl/methods';
import { describe, expect, it } from 'vitest';
import { tinyTeacher } from '../../../test-fixtures/tiny-teacher.ts';
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
    // Thirteen trial steps of 100 ms leave 9,000 - 1,300 ms.
    expect(await fitSteps(timedRun(100), { timeBudgetMs: 10_000, reserve: 0.1 })).toBe(77);
    expect(await fitSteps(timedRun(100), { timeBudgetMs: 10_000, reserve: 0 })).toBe(87);
  });

  it('measures for a tenth of the budget at least', async () => {
    // Three steps of 10 ms, then 100.
    expect(await fitSteps(timedRun(10), { timeBudgetMs: 10_000, reserve: 0 })).toBe(897);
  });

  it('takes for itself what a method makes at the start of a run', async () => {
    // Each of the three trials begins with a step of 1,000 ms, as the run will.
    expect(await fitSteps(timedRun(100, 1), { timeBudgetMs: 10_000, reserve: 0 })).toBe(53);
  });

  it('leaves room for what stands beside the steps', async () => {
    // 8,700 ms for n steps of 100 ms and an evaluation of 400 ms every ten.
    const besides = (steps: number): number => Math.ceil(steps / 10) * 400;
    expect(await fitSteps(timedRun(100), { timeBudgetMs: 10_000, reserve: 0, besides })).toBe(60);
    // Half of the budget belongs to the steps.
    expect(await fitSteps(timedRun(100), { timeBudgetMs: 10_000, besides: () => 1e9 })).toBe(50);
  });

  it('gives one step at least', async () => {
    expect(await fitSteps(timedRun(100), { timeBudgetMs: 500 })).toBe(1);
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
