import { describe, expect, it } from 'vitest';
import { expectClose } from './expect-close.ts';

const exactly = { absolute: 0, relative: 0 };

describe('expectClose', () => {
  it('accepts what lies within the tolerance', () => {
    expectClose([1, 2.001], [1, 2], { absolute: 0, relative: 1e-3 });
    expectClose([1e-9], [0], { absolute: 1e-8, relative: 0 });
    expectClose(new Float32Array([0.1]), new Float64Array([0.1]), { absolute: 0, relative: 1e-7 });
    expectClose([], [], exactly);
  });

  it('takes special values for themselves alone', () => {
    expectClose([Number.NaN, Infinity, -Infinity, -0], [Number.NaN, Infinity, -Infinity, 0], exactly);
    const generous = { absolute: 1e9, relative: 1e9 };
    for (const [actual, expected] of [
      [Number.NaN, 0],
      [0, Number.NaN],
      [Infinity, 0],
      [0, Infinity],
      [Infinity, -Infinity],
    ]) {
      expect(() => expectClose([actual], [expected], generous)).toThrow(`Expected ${expected} at index 0 but got`);
    }
  });

  it('names the worst element', () => {
    expect(() => expectClose([1, 2.01, 3.5], [1, 2, 3], { absolute: 0, relative: 1e-3 })).toThrow(
      'Expected 3 at index 2 but got 3.5, off by 0.5 where 0.003 is allowed (2 of 3 elements differ)',
    );
    expect(() => expectClose([2, Number.NaN], [1, 1], { absolute: 0.5, relative: 0 })).toThrow(
      'Expected 1 at index 1 but got NaN, off by NaN where 0.5 is allowed (2 of 2 elements differ)',
    );
  });

  it('refuses arrays of unequal lengths', () => {
    expect(() => expectClose([1], [1, 2], exactly)).toThrow('Expected 2 elements but got 1');
  });
});
