import { expect, test } from 'vitest';
import { summarizeSamples } from './summarize-samples.ts';

test('summarizeSamples gives the quantiles that NumPy gives', () => {
  // numpy.quantile([7, 1, 5, 2], [0.5, 0.25, 0.75])
  expect(summarizeSamples([7, 1, 5, 2])).toEqual({
    median: 3.5,
    lowerQuartile: 1.75,
    upperQuartile: 5.5,
    minimum: 1,
    maximum: 7,
  });
  expect(summarizeSamples([10, 9, 100])).toMatchObject({ median: 10, minimum: 9, maximum: 100 });
});

test('one sample is all there is to say', () => {
  expect(new Set(Object.values(summarizeSamples([4])))).toEqual(new Set([4]));
});
