import { expect, test } from 'vitest';
import { parseDuration } from './parse-duration.ts';

test.each([
  ['250ms', 250],
  ['90s', 90_000],
  ['1.5m', 90_000],
  ['2h', 7_200_000],
  ['90', '90'],
  ['-1s', '-1s'],
  ['soon', 'soon'],
])('%s', (text, expected) => {
  expect(parseDuration(text)).toBe(expected);
});
