import { describe, expect, it } from 'vitest';
import { detectCollapse } from './detect-collapse.ts';
import { createRandomStream } from './random.ts';

const advice = { alikeImages: 'Move them apart', missingClasses: 'Show the others' };
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
  detectCollapse(images, logits, 4, advice).map(({ code }) => code);

describe('detectCollapse', () => {
  const ofAllClasses = logitsOf((index) => index % 4);

  it('finds nothing wrong with different images of all classes', () => {
    expect(codesOf(imagesOf(1), ofAllClasses)).toEqual([]);
    expect(codesOf(imagesOf(0.3), ofAllClasses)).toEqual([]);
  });

  it('finds images that are alike', () => {
    for (const noise of [0, 0.01, 0.1]) expect(codesOf(imagesOf(noise), ofAllClasses)).toEqual(['ALIKE_IMAGES']);
    const [{ message }] = detectCollapse(imagesOf(0), ofAllClasses, 4, advice);
    expect(message).toBe('The images are nearly identical: 0.0 % of their variance is between images. Move them apart');
  });

  it('finds images that are all of one grey', () => {
    expect(codesOf(new Array<number>(count * 16).fill(0.5), ofAllClasses)).toEqual(['ALIKE_IMAGES']);
  });

  it.each([
    // From one of ten, five of a hundred on; where chance alone would leave classes out, it tells nothing.
    [10, 10, 512, null],
    [10, 9, 512, '9 of 10'],
    [10, 6, 512, '6 of 10'],
    [10, 1, 64, '1 of 10'],
    [4, 3, 64, '3 of 4'],
    [100, 96, 512, null],
    [100, 95, 512, '95 of 100'],
    [100, 26, 512, '26 of 100'],
    [1000, 512, 512, null],
    [1000, 60, 512, '60 of 1000'],
  ])('of %i classes, %i of which are shown by %i images', (classes, shown, images, covered) => {
    const sure = new Float32Array(images * classes);
    for (let index = 0; index < images; index++) sure[index * classes + (index % shown)] = 30;
    const different = createRandomStream(0, 'x').normal(images);
    const messages = detectCollapse(different, sure, classes, advice).map(({ message }) => message);
    expect(messages).toEqual(
      covered === null
        ? []
        : [`The images cover ${covered} classes: the teacher hardly sees any of the others. Show the others`],
    );
    expect(detectCollapse(different, sure, classes)).toEqual([]);
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
