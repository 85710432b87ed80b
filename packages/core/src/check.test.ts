import { describe, expect, it } from 'vitest';
import { check, fail } from './check.ts';
import { DaflError } from './errors.ts';

const failure = { cannot: 'distill', as: "'steps' must be an integer >= 1", value: 0.5 };

describe('check', () => {
  it('says what could not be done, the rule and the value, by one kind of error', () => {
    expect(() => check(false, failure)).toThrow(
      new DaflError('USAGE', "Cannot distill as 'steps' must be an integer >= 1: current value is 0.5"),
    );
    expect(() => check(true, failure)).not.toThrow();
  });

  it('keeps the code and the cause that it is given', () => {
    const cause = new Error('below');
    expect(() => fail({ ...failure, code: 'MODEL', cause })).toThrow(
      expect.objectContaining({ code: 'MODEL', cause }) as Error,
    );
  });

  it.each([undefined, null, Number.NaN, [1, 2]])('shows %o as a template would', (value) => {
    expect(() => fail({ ...failure, value })).toThrow(`current value is ${String(value)}`);
  });
});
