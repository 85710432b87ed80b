import { expect, it } from 'vitest';
import { createRandomStream } from '../random.ts';
import { softenColours } from './soften-colours.ts';

const size = { height: 32, width: 40, channels: 3 };
const noise = (): Float32Array => Float32Array.from(createRandomStream(1, 'noise').uniform(32 * 40 * 3));
const means = (values: Float32Array): number[] =>
  Array.from(
    { length: values.length / 3 },
    (_, pixel) => (values[3 * pixel] + values[3 * pixel + 1] + values[3 * pixel + 2]) / 3,
  );
/** Mean squares of what sets channels apart, and of its differences from pixel to pixel. */
function colourOf(values: Float32Array): { strength: number; detail: number } {
  const light = means(values);
  const colours = Array.from(values, (value, index) => value - light[Math.floor(index / 3)]);
  const square = (list: number[]): number => list.reduce((sum, value) => sum + value * value, 0) / list.length;
  return { strength: square(colours), detail: square(colours.slice(3).map((value, index) => value - colours[index])) };
}

it('leaves light and dark as they are, and takes fine detail from colours first', () => {
  const values = noise();
  softenColours(values, size, 1);
  const light = means(noise());
  means(values).forEach((mean, pixel) => expect(mean).toBeCloseTo(light[pixel], 5));
  const [before, after] = [colourOf(noise()), colourOf(values)];
  expect(after.strength).toBeLessThan(0.6 * before.strength);
  expect(after.detail / after.strength).toBeLessThan(0.7 * (before.detail / before.strength));
});

it('keeps the share of the colours that it is told, and even colours whole', () => {
  const grey = noise();
  softenColours(grey, size, 0);
  expect(colourOf(grey).strength).toBeLessThan(1e-12);
  const even = Float32Array.from({ length: 32 * 40 * 3 }, (_, index) => [0.2, 0.5, 0.8][index % 3]);
  softenColours(even, size, 0.5);
  expect(Array.from(even.subarray(0, 3), (value) => value.toFixed(5))).toEqual(['0.35000', '0.50000', '0.65000']);
  even.forEach((value, index) => expect(value).toBeCloseTo(even[index % 3], 5));
});

it.each([16, 32, 64, 224])('blurs over the same share of a picture of %i pixels', (side) => {
  // Red above, blue below: red up to an eighth of the picture from the edge, and less at the edge.
  const large = { height: side, width: side, channels: 3 };
  const values = Float32Array.from({ length: side * side * 3 }, (_, index) =>
    index % 3 === (index < (side * side * 3) / 2 ? 0 : 2) ? 1 : 0,
  );
  softenColours(values, large, 1);
  const redAt = (row: number): number => values[row * side * 3];
  expect(redAt(0)).toBeCloseTo(1, 5);
  expect(redAt(side / 2 - 1 - Math.round(side / 8))).toBeCloseTo(1, 5);
  expect(redAt(side / 2 - 1)).toBeLessThan(0.95);
  expect(redAt(side / 2 - 1)).toBeGreaterThan(0.5);
});
