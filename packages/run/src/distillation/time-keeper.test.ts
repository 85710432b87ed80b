import { describe, expect, it } from 'vitest';
import { TimeKeeper } from './time-keeper.ts';

interface Machine {
  readonly planned: number;
  /** Of a step, by the share of the run that is done. */
  readonly stepMs: (share: number, nowMs: number) => number;
  /** After each tenth of the plan. */
  readonly reportMs?: number;
  readonly tailMs?: number;
  readonly budgetMs?: number;
}

/** Runs by a clock of its own; gives the time it took, and its changes of length. */
function run({ planned, stepMs, reportMs = 0, tailMs = 0, budgetMs = 30_000 }: Machine): {
  spentMs: number;
  changes: number;
} {
  let now = 500;
  const keeper = new TimeKeeper({ deadlineMs: now + budgetMs, tailMs, clock: () => now });
  let end = planned;
  let changes = 0;
  for (let done = 0; done < end;) {
    keeper.begin();
    now += stepMs(done / end, now);
    done++;
    const wanted = keeper.replan(done, end);
    if (wanted !== end) changes++;
    end = wanted;
    keeper.begin();
    if (done % Math.ceil(planned / 10) === 0) now += reportMs;
  }
  return { spentMs: now - 500 + tailMs, changes };
}

describe('TimeKeeper', () => {
  it.each<[string, Machine]>([
    ['as planned', { planned: 300, stepMs: () => 100 }],
    ['planned far too long', { planned: 3000, stepMs: () => 100 }],
    ['planned far too short', { planned: 60, stepMs: () => 100 }],
    ['with steps that cost more early than late', { planned: 200, stepMs: (share) => (share < 0.6 ? 200 : 50) }],
    ['with steps that cost more late than early', { planned: 200, stepMs: (share) => (share < 0.6 ? 50 : 200) }],
    ['on a machine that slows down', { planned: 300, stepMs: (_, now) => (now < 20_000 ? 100 : 300) }],
    ['with long reports', { planned: 300, stepMs: () => 50, reportMs: 1_000, tailMs: 1_500 }],
    ['with few steps, the first of which is long', { planned: 20, stepMs: (share) => (share === 0 ? 8_000 : 900) }],
  ])('holds a time within 10 %%: %s', (_, machine) => {
    const { spentMs, changes } = run(machine);
    expect(spentMs).toBeGreaterThan(27_000);
    expect(spentMs).toBeLessThan(33_000);
    expect(changes).toBeLessThanOrEqual(8);
  });

  it('ends with the step after which the time is up', () => {
    expect(run({ planned: 20, stepMs: () => 40_000 }).spentMs).toBe(40_000);
  });
});
