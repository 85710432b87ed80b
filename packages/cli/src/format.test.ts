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

test('tables keep their columns beside letters that are two cells wide, and marks that take none', () => {
  // "cafe" with its accent as a letter of its own.
  const rows = ['dog', '\u732b', '\ud83d\udc1f', 'cafe\u0301'].map((name) => [name, '|']);
  expect(formatTable(rows)).toBe('dog   |\n\u732b    |\n\ud83d\udc1f    |\ncafe\u0301  |\n');
});
