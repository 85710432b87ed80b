import { expect, test } from 'vitest';
import { formatSeconds, formatTable } from './format.ts';

test.each([
  [0.04, '0.0 s'],
  [9.9, '9.9 s'],
  [9.97, '10 s'],
  [99, '99 s'],
  [125, '2:05 min'],
  [7_260, '2:01 h'],
  [450_000, '5.2 days'],
])('%d seconds', (seconds, expected) => {
  expect(formatSeconds(seconds)).toBe(expected);
});

test('tables', () => {
  expect(
    formatTable(
      [
        ['a', '1', 'x'],
        ['long', '20', ''],
      ],
      { right: [1], indent: '  ' },
    ),
  ).toBe('  a      1  x\n  long  20\n');
});
