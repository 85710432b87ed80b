import { type Classifier, createRandomStream, type RandomStream } from '@dafl/core';
import { describe, expect, it } from 'vitest';
import { augment } from './augment.ts';

const classifier: Classifier = {
  classes: 2,
  featureSize: 1,
  inputShape: [2, 3, 1],
  // Black is -1.
  preprocessing: { resize: 'bilinear', mean: [0.5], standardDeviation: [0.5] },
};
const image = [1, 2, 3, 4, 5, 6];

/** A stream whose integers are given: first the shifts, then the flips. */
function given(shifts: number[], flips: number[]): RandomStream {
  const lists = [shifts, flips];
  return { ...createRandomStream(0, 'x'), integers: () => Uint32Array.from(lists.shift()!) };
}

describe('augment', () => {
  it('shifts, and what moves in is black', () => {
    const options = { shift: 1, horizontalFlip: false };
    const shifted = (down: number, right: number) => [
      ...augment(Float32Array.from(image), classifier, options, given([down + 1, right + 1], [1])),
    ];
    expect(shifted(0, 0)).toEqual(image);
    expect(shifted(1, 0)).toEqual([-1, -1, -1, 1, 2, 3]);
    expect(shifted(-1, 0)).toEqual([4, 5, 6, -1, -1, -1]);
    expect(shifted(0, 1)).toEqual([-1, 1, 2, -1, 4, 5]);
    expect(shifted(1, -1)).toEqual([-1, -1, -1, 2, 3, -1]);
  });

  it('mirrors left to right, each image by its own draw', () => {
    const options = { shift: 0, horizontalFlip: true };
    const both = Float32Array.from([...image, ...image]);
    expect([...augment(both, classifier, options, given([0, 0, 0, 0], [1, 0]))]).toEqual([3, 2, 1, 6, 5, 4, ...image]);
  });

  it('mirrors those that it is told to, whatever is drawn', () => {
    const options = { shift: 0, horizontalFlip: true };
    const random = given([0, 0], [0]);
    expect([...augment(Float32Array.from(image), classifier, options, random, Uint32Array.of(1))]).toEqual([
      3, 2, 1, 6, 5, 4,
    ]);
  });

  it('mirrors, then shifts', () => {
    const options = { shift: 1, horizontalFlip: true };
    const output = augment(Float32Array.from(image), classifier, options, given([1, 2], [1]));
    expect([...output]).toEqual([-1, 3, 2, -1, 6, 5]);
  });

  it('keeps the channels of a pixel together', () => {
    const colours: Classifier = {
      ...classifier,
      inputShape: [1, 2, 2],
      preprocessing: { resize: 'bilinear', mean: [0.5, 0], standardDeviation: [0.5, 1] },
    };
    const options = { shift: 1, horizontalFlip: false };
    const output = augment(Float32Array.of(1, 2, 3, 4), colours, options, given([1, 2], [0]));
    expect([...output]).toEqual([-1, -0, 1, 2]);
  });

  it('draws all shifts within the limit, and leaves its argument alone', () => {
    const dot = { ...classifier, inputShape: [9, 9, 1] as const };
    const count = 2000;
    const inputs = new Float32Array(count * 81).fill(-1);
    for (let index = 0; index < count; index++) inputs[index * 81 + 40] = 7;
    const before = inputs.slice();
    const output = augment(inputs, dot, { shift: 2, horizontalFlip: true }, createRandomStream(1, 'x'));
    expect(inputs).toEqual(before);
    const places = new Set<number>();
    for (let index = 0; index < count; index++) places.add(output.subarray(index * 81, (index + 1) * 81).indexOf(7));
    const expected = [2, 3, 4, 5, 6].flatMap((row) => [2, 3, 4, 5, 6].map((column) => row * 9 + column));
    expect([...places].sort((a, b) => a - b)).toEqual(expected);
  });
});
