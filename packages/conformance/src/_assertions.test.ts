import { describe, expect, it } from 'vitest';
import { assertEqual, assertThrows, assertTrue } from './_assertions.ts';

describe('assertEqual', () => {
  it('takes equal values for equal', () => {
    for (const value of [1, 'a', Number.NaN, null, undefined, [], [1, [2, 3]], { a: 1, b: [2] }]) {
      assertEqual(value, structuredClone(value), 'the value');
    }
    assertEqual({ a: 1, b: 2 }, { b: 2, a: 1 }, 'the value');
  });

  it('names the subject and both values', () => {
    for (const [actual, expected, message] of [
      [1, 2, 'Expected it to be 2 but got 1'],
      [[1], [1, 2], 'Expected it to be [1,2] but got [1]'],
      [[], {}, 'Expected it to be {} but got []'],
      [{ a: 1 }, { b: 1 }, 'Expected it to be {"b":1} but got {"a":1}'],
      [null, {}, 'Expected it to be {} but got null'],
      ['1', 1, 'Expected it to be 1 but got "1"'],
    ] as const) {
      expect(() => assertEqual(actual, expected, 'it')).toThrow(new Error(message));
    }
  });
});

describe('assertTrue', () => {
  it('fails with its message', () => {
    assertTrue(true, 'never');
    expect(() => assertTrue(false, 'it must hold')).toThrow(new Error('it must hold'));
  });
});

describe('assertThrows', () => {
  it('takes a throw and a rejection', async () => {
    await assertThrows(() => {
      throw new RangeError('thrown');
    }, 'it');
    await assertThrows(() => Promise.reject(new Error('rejected')), 'it');
  });

  it('fails where nothing is thrown, or no error', async () => {
    await expect(assertThrows(() => 1, 'it')).rejects.toThrow('Expected it to throw but it did not');
    await expect(assertThrows(() => Promise.reject('text'), 'it')).rejects.toThrow(
      'Expected it to throw an Error but it threw "text"',
    );
  });
});
