import { expect, test } from 'vitest';
import { spreadOrder } from './spread-order.ts';

test.each([0, 1, 2, 3, 4, 600, 1000, 10_000])('%d numbers come once each', (count) => {
  expect(spreadOrder(count).toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, index) => index));
});

test('the first tenth is of all classes alike, where these lie one after another', () => {
  const counts = [0, 0, 0, 0];
  for (const index of spreadOrder(800).slice(0, 80)) counts[Math.floor(index / 200)]++;
  for (const count of counts) expect(Math.abs(count - 20)).toBeLessThanOrEqual(2);
});
