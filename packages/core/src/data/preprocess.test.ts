import { expectClose } from '@dafl/conformance';
import { describe, expect, it } from 'vitest';
import golden from '../../../../test-fixtures/golden/preprocess.json' with { type: 'json' };
import { DaflError } from '../errors.ts';
import type { Classifier } from '../model/classifier.ts';
import type { ImageSet } from './image-set.ts';
import { preprocess, toPixels } from './preprocess.ts';

function classifierOf(inputShape: [number, number, number], mean: number[], standardDeviation: number[]): Classifier {
  return { classes: 10, featureSize: 1, inputShape, preprocessing: { resize: 'bilinear', mean, standardDeviation } };
}

/** The fixture's pictures: see generate_preprocess.py. */
function picturesOf(count: number, height: number, width: number, channels: number): ImageSet {
  const pixels = Uint8Array.from(
    { length: count * height * width * channels },
    (_, index) => (index * 37 + Math.floor(index / 7) * 101 + Math.floor(index / 64) * 29) % 256,
  );
  return { count, height, width, channels, pixels };
}

describe('preprocess', () => {
  it.each(golden.cases.map((entry) => [entry.name, entry] as const))('gives what PyTorch gives: %s', (_, entry) => {
    const [height, width] = entry.from;
    const images = picturesOf(entry.count, height, width, entry.mean.length);
    const classifier = classifierOf([entry.to[0], entry.to[1], entry.mean.length], entry.mean, entry.standardDeviation);
    const output = preprocess(
      images,
      Array.from({ length: entry.count }, (_image, index) => index),
      classifier,
    );
    expect(output.length).toBe(entry.count * entry.to[0] * entry.to[1] * entry.mean.length);
    expectClose(
      entry.indices.map((index) => output[index]),
      entry.values,
      golden.tolerance,
    );
    const sum = output.reduce((total, value) => total + value, 0);
    const sumOfSquares = output.reduce((total, value) => total + value * value, 0);
    // Each of some thousand float32 values is off by half of its last place at most.
    expectClose([sum], [entry.sum], { absolute: 1e-3, relative: 1e-6 });
    expectClose([sumOfSquares], [entry.sumOfSquares], { absolute: 1e-3, relative: 1e-6 });
  });

  it('takes the images that are asked for, in their order', () => {
    const images = picturesOf(3, 4, 4, 1);
    const classifier = classifierOf([4, 4, 1], [0], [1]);
    const [first, third] = [0, 2].map((index) => preprocess(images, [index], classifier));
    expect([...preprocess(images, Uint32Array.of(2, 0, 2), classifier)]).toEqual([...third, ...first, ...third]);
    expect(preprocess(images, [], classifier).length).toBe(0);
  });

  it('leaves pixels that fit as they are, scaled to 0..1', () => {
    const images: ImageSet = { count: 1, height: 1, width: 2, channels: 1, pixels: Uint8Array.of(0, 255) };
    expect([...preprocess(images, [0], classifierOf([1, 2, 1], [0], [1]))]).toEqual([0, 1]);
    expect([...preprocess(images, [0], classifierOf([1, 2, 1], [0.5], [0.25]))]).toEqual([-2, 2]);
  });

  it('refuses another number of channels', () => {
    const compute = () => preprocess(picturesOf(1, 4, 4, 3), [0], classifierOf([4, 4, 1], [0], [1]));
    expect(compute).toThrow(DaflError);
    expect(compute).toThrow('Cannot preprocess images as they must have 1 channels: current value is 3');
  });
});

describe('toPixels', () => {
  it('is the inverse of the normalisation', () => {
    const images = picturesOf(2, 4, 4, 3);
    const classifier = classifierOf([4, 4, 3], [0.4914, 0.4822, 0.4465], [0.2023, 0.1994, 0.201]);
    const pixels = toPixels(preprocess(images, [0, 1], classifier), classifier);
    expectClose(
      pixels,
      Array.from(images.pixels, (pixel) => pixel / 255),
      { absolute: 1e-6, relative: 0 },
    );
  });

  it('stays within 0..1', () => {
    expect([...toPixels([-9, -2, 0, 2, 9], classifierOf([1, 1, 1], [0.5], [0.25]))]).toEqual([0, 0, 0.5, 1, 1]);
  });
});
