import { expect, test } from 'vitest';
import { chooseByteScale } from './choose-byte-scale.ts';

const channelMeans = Float64Array.of(0);

test('the whole range is taken where it is filled', () => {
  const histogram = new Uint32Array(2048).fill(1);
  const { scale, zeroPoint } = chooseByteScale({ minimum: -1, maximum: 4.1, histogram, channelMeans });
  expect(scale).toBeCloseTo(5.1 / 255, 6);
  expect(zeroPoint).toBe(50);
});

test('a single value far from all others is cut off', () => {
  const histogram = new Uint32Array(2048);
  histogram.fill(10_000, 0, 1024);
  histogram[2047] = 1;
  const { scale, zeroPoint } = chooseByteScale({ minimum: 0, maximum: 2, histogram, channelMeans });
  expect(255 * scale).toBeLessThan(1.5);
  expect(255 * scale).toBeGreaterThanOrEqual(0.99);
  expect(zeroPoint).toBe(0);
});

test('a value that is always 0 has a scale', () => {
  const histogram = new Uint32Array(2048);
  expect(chooseByteScale({ minimum: 0, maximum: 0, histogram, channelMeans })).toEqual({ scale: 1, zeroPoint: 0 });
});
