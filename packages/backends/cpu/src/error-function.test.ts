import { expect, it } from 'vitest';
import { errorFunction } from './error-function.ts';

it('agrees with published values', () => {
  // Abramowitz and Stegun, Handbook of Mathematical Functions, table 7.1, 10 digits.
  expect(errorFunction(0)).toBe(0);
  expect(errorFunction(0.5)).toBeCloseTo(0.5204998778, 10);
  expect(errorFunction(1)).toBeCloseTo(0.8427007929, 10);
  expect(errorFunction(1.5)).toBeCloseTo(0.9661051465, 10);
  expect(errorFunction(2)).toBeCloseTo(0.995322265, 10);
});

it('is odd, ends at 1 and passes NaN on', () => {
  expect(errorFunction(-1)).toBe(-errorFunction(1));
  expect(errorFunction(6)).toBeCloseTo(1, 14);
  expect(errorFunction(6.1)).toBe(1);
  expect(errorFunction(-Infinity)).toBe(-1);
  expect(errorFunction(Number.NaN)).toBeNaN();
});
