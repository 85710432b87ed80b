import { describe, expect, it } from 'vitest';
import { DaflError } from './errors.ts';
import { Pace } from './pace.ts';
import { createRandomStream } from './random.ts';

describe('Pace', () => {
  it('goes through its plan step by step', () => {
    const pace = new Pace(7);
    expect([0, 1, 2, 6].map((step) => pace.positionAt(step))).toEqual([0, 1, 2, 6]);
    expect(pace.endAt(3)).toBe(7);
  });

  it('goes through what is left of it in the steps that are left', () => {
    const pace = new Pace(10, [{ step: 4, end: 16 }]);
    expect([3, 4, 6, 16].map((step) => pace.positionAt(step))).toEqual([3, 4, 5, 10]);
    pace.change({ step: 10, end: 12 });
    expect([10, 11, 12].map((step) => pace.positionAt(step))).toEqual([7, 8.5, 10]);
    expect([3, 4, 9, 10].map((step) => pace.endAt(step))).toEqual([10, 16, 16, 12]);
  });

  it('never turns back, and ends where its plan ends', () => {
    const random = createRandomStream(0, 'lengths');
    for (let round = 0; round < 100; round++) {
      const [steps, ...lengths] = random.integers(12, 50).map((value) => value + 1);
      const pace = new Pace(steps);
      let done = 0;
      for (let index = 0; index < 10; index += 2) {
        done += lengths[index];
        if (done < pace.endAt(done)) pace.change({ step: done, end: done + lengths[index + 1] });
      }
      const end = pace.endAt(Infinity);
      const positions = Array.from({ length: end }, (_, step) => pace.positionAt(step));
      expect(positions).toEqual(positions.toSorted((a, b) => a - b));
      expect(new Set(positions).size).toBe(end);
      expect(positions.at(-1)).toBeLessThan(steps);
      expect(pace.positionAt(end)).toBeCloseTo(steps, 9);
    }
  });

  it.each([
    { step: 0, end: 5 },
    { step: 10, end: 12 },
    { step: 5, end: 4 },
    { step: 2.5, end: 4 },
  ])('refuses the change %j', (change) => {
    expect(() => new Pace(10, [change])).toThrow(
      new DaflError(
        'USAGE',
        `Cannot distill as 'pace' must change after a step > 0 and < 10, to an end that is not before it: current value is [${change.step}, ${change.end}]`,
      ),
    );
  });
});
