import { expect, it } from 'vitest';
import type { Classifier } from './model/classifier.ts';
import { pickSamples } from './pick-samples.ts';

const classifier: Classifier = {
  inputShape: [1, 2, 1],
  classes: 2,
  preprocessing: { mean: [0], standardDeviation: [1] },
} as never;

/** Of the first class, pictures that begin with these values. */
function pick(values: readonly number[], perClass: number): number[] {
  const images = Float32Array.from(values.flatMap((value) => [value, 0.5]));
  const logits = Float32Array.from(values.flatMap(() => [1, 0]));
  const event = pickSamples({ images, logits }, classifier, { step: 1, perClass });
  expect(event.classCounts).toEqual([values.length, 0]);
  return values.filter((_, index) => event.images[2 * index] !== undefined).map((_, index) => event.images[2 * index]);
}

it('shows no picture twice where there are enough', () => {
  expect(pick([0, 0, 0.25, 0, 0.5, 0.25, 0.75], 3)).toEqual([0, 0.25, 0.5]);
});

it('fills up with pictures that came again where there are not', () => {
  expect(pick([0, 0, 0.25, 0], 3)).toEqual([0, 0.25, 0]);
});
