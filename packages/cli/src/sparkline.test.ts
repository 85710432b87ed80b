import { expect, test } from 'vitest';
import { sparkline } from './sparkline.ts';

test.each([
  [[], 5, ''],
  [[2], 5, '▁'],
  [[1, 1, 1], 3, '▁▁▁'],
  [[7, 6, 5, 4, 3, 2, 1, 0], 8, '█▇▆▅▄▃▂▁'],
  [[-1, 1], 5, '▁█'],
  // Means of four values each.
  [[8, 8, 8, 8, 0, 8, 0, 8, 0, 0, 0, 0], 3, '█▅▁'],
])('%j in %i characters', (values, width, expected) => {
  expect(sparkline(values, width)).toBe(expected);
});
