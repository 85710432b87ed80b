import { describe, expect, it } from 'vitest';
import { DaflError } from '../errors.ts';
import { learningRateAt, type Schedule } from './schedule.ts';

function ratesOf(schedule: Schedule, steps: number): number[] {
  return Array.from({ length: steps }, (_, step) => learningRateAt(schedule, step, steps));
}

function expectRates(schedule: Schedule, expected: number[]): void {
  ratesOf(schedule, expected.length).forEach((rate, step) => expect(rate).toBeCloseTo(expected[step], 12));
}

describe('learningRateAt', () => {
  it('stays where it is constant', () => {
    expectRates({ kind: 'constant', learningRate: 0.2 }, [0.2, 0.2, 0.2]);
  });

  it('follows half a cosine', () => {
    const half = Math.SQRT1_2 / 2;
    expectRates({ kind: 'cosine', learningRate: 1 }, [1, 0.5 + half, 0.5, 0.5 - half]);
    expectRates({ kind: 'cosine', learningRate: 2, finalRatio: 0.5 }, [2, 1.5 + half, 1.5, 1.5 - half]);
  });

  it('follows a line, with a warm-up a triangle', () => {
    expectRates({ kind: 'linear', learningRate: 1 }, [1, 0.75, 0.5, 0.25]);
    expectRates({ kind: 'linear', learningRate: 2, finalRatio: 0.5 }, [2, 1.5]);
    expectRates({ kind: 'linear', learningRate: 1, warmupSteps: 2 }, [0.5, 1, 1, 0.5]);
  });

  it('falls at the milestones of a run, however long it is', () => {
    const schedule: Schedule = { kind: 'multiStep', learningRate: 1, milestones: [0.4, 0.8], factor: 0.1 };
    expectRates(schedule, [1, 1, 0.1, 0.1, 0.01]);
    expectRates(schedule, [1, 1, 1, 1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01]);
  });

  it('rises through the warm-up', () => {
    expectRates({ kind: 'constant', learningRate: 1, warmupSteps: 4 }, [0.25, 0.5, 0.75, 1, 1]);
    // What is left of the run has the whole cosine.
    expectRates({ kind: 'cosine', learningRate: 1, warmupSteps: 2 }, [0.5, 1, 1, 0.5]);
    expectRates({ kind: 'cosine', learningRate: 1, warmupSteps: 3 }, [1 / 3, 2 / 3, 1]);
  });

  it('takes a run of one step', () => {
    expectRates({ kind: 'cosine', learningRate: 1 }, [1]);
  });

  it.each([0, -1, Number.NaN])('refuses the learning rate %d', (learningRate) => {
    const compute = () => learningRateAt({ kind: 'constant', learningRate }, 0, 1);
    expect(compute).toThrow(DaflError);
    expect(compute).toThrow(`Cannot follow schedule as 'learningRate' must be > 0: current value is ${learningRate}`);
  });

  it.each<[Schedule, string]>([
    [{ kind: 'constant', learningRate: Infinity }, "'learningRate' must be > 0: current value is Infinity"],
    [
      { kind: 'constant', learningRate: 1, warmupSteps: -1 },
      "'warmupSteps' must be an integer >= 0: current value is -1",
    ],
    [{ kind: 'cosine', learningRate: 1, finalRatio: 2 }, "'finalRatio' must be in [0, 1]: current value is 2"],
    [
      { kind: 'multiStep', learningRate: 1, milestones: [0.5], factor: -1 },
      "'factor' must be > 0: current value is -1",
    ],
    [
      { kind: 'multiStep', learningRate: 1, milestones: [0.5, 40], factor: 0.1 },
      "'milestones' must be in (0, 1): current value is [0.5, 40]",
    ],
  ])('refuses %j from its first step on', (schedule, rule) => {
    expect(() => learningRateAt(schedule, 0, 1)).toThrow(`Cannot follow schedule as ${rule}`);
  });
});
