import { createRandomStream } from '@dafl/core';
import { expect, test } from 'vitest';
import { teacherTone } from './_teacher-tone.ts';

test.each([
  [[0.1307], [0.3081]],
  [[0.2861], [0.353]],
  [[0.8], [0.33]],
  [
    [0.49, 0.48, 0.44],
    [0.25, 0.24, 0.26],
  ],
])('gives pixels the mean and the deviation of the preprocessing: %j, %j', (mean, standardDeviation) => {
  const { contrast, brightness } = teacherTone({ resize: 'bilinear', mean, standardDeviation });
  const values = createRandomStream(1, 'normal').normal(100_000);
  const pixels = Array.from(values, (value) => 1 / (1 + Math.exp(-contrast * value - brightness)));
  const average = (numbers: readonly number[]): number =>
    numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
  const found = average(pixels);
  expect(found).toBeCloseTo(average(mean), 2);
  const deviation = Math.sqrt(average(pixels.map((pixel) => (pixel - found) ** 2)));
  // Of dark images with that much contrast, the steepest sigmoid that is taken falls short.
  expect(Math.abs(deviation - average(standardDeviation))).toBeLessThan(0.03);
});

test('takes mid-grey where the preprocessing tells nothing', () => {
  const unknown = { contrast: 2, brightness: 0 };
  for (const [mean, deviation] of [
    [0, 1],
    [123, 58],
  ])
    expect(teacherTone({ resize: 'bilinear', mean: [mean], standardDeviation: [deviation] })).toEqual(unknown);
});
