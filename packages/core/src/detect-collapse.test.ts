import { describe, expect, it } from 'vitest';
import { detectCollapse } from './detect-collapse.ts';
import type { Classifier } from './model/classifier.ts';
import { createRandomStream } from './random.ts';

const classifier: Classifier = {
  classes: 4,
  featureSize: 1,
  inputShape: [4, 4, 1],
  preprocessing: { resize: 'bilinear', mean: [0], standardDeviation: [1] },
};
const count = 64;

/** Logits of a teacher that is sure of the given labels. */
function logitsOf(labelOf: (index: number) => number): number[] {
  return Array.from({ length: count }, (_, index) =>
    Array.from({ length: 4 }, (_class, label) => (label === labelOf(index) ? 20 : 0)),
  ).flat();
}

/** One picture, of which each image has its own share of noise. */
function imagesOf(noise: number): number[] {
  const random = createRandomStream(0, 'x');
  const picture = random.normal(16);
  return Array.from(random.normal(count * 16), (value, index) => picture[index % 16] + noise * value);
}

const codesOf = (images: number[], logits: number[]): string[] =>
  detectCollapse(images, logits, classifier).map(({ code }) => code);

describe('detectCollapse', () => {
  const ofAllClasses = logitsOf((index) => index % 4);

  it('finds nothing wrong with different images of all classes', () => {
    expect(codesOf(imagesOf(1), ofAllClasses)).toEqual([]);
    expect(codesOf(imagesOf(0.3), ofAllClasses)).toEqual([]);
  });

  it('finds images that are alike', () => {
    for (const noise of [0, 0.01, 0.1]) expect(codesOf(imagesOf(noise), ofAllClasses)).toEqual(['ALIKE_IMAGES']);
    const [{ message }] = detectCollapse(imagesOf(0), ofAllClasses, classifier);
    expect(message).toBe(
      "The generated images are nearly identical: 0.0 % of their variance is between images. Lower the generator's learning rate or raise the information-entropy weight",
    );
  });

  it('finds images that are all of one grey', () => {
    expect(codesOf(new Array<number>(count * 16).fill(0.5), ofAllClasses)).toEqual(['ALIKE_IMAGES']);
  });

  it('finds missing classes', () => {
    expect(
      codesOf(
        imagesOf(1),
        logitsOf(() => 2),
      ),
    ).toEqual(['MISSING_CLASSES']);
    // Two of four: half of the entropy. Three of four: 79 %.
    expect(
      codesOf(
        imagesOf(1),
        logitsOf((index) => index % 2),
      ),
    ).toEqual(['MISSING_CLASSES']);
    expect(
      codesOf(
        imagesOf(1),
        logitsOf((index) => index % 3),
      ),
    ).toEqual([]);
    const [{ message }] = detectCollapse(
      imagesOf(1),
      logitsOf((index) => index % 2),
      classifier,
    );
    expect(message).toBe(
      'The generated images cover few classes: their entropy is 50 % of the largest. Raise the information-entropy weight or the batch size',
    );
  });

  it('finds both', () => {
    expect(
      codesOf(
        imagesOf(0),
        logitsOf(() => 1),
      ),
    ).toEqual(['ALIKE_IMAGES', 'MISSING_CLASSES']);
  });
});
