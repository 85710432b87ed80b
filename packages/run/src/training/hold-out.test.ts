import { createRandomStream, type ImageSet } from '@dafl/core';
import { expect, test } from 'vitest';
import { holdOut } from './hold-out.ts';

/** Images of one pixel, sorted by class; the pixel is the index. */
const images = (...counts: readonly number[]): ImageSet => {
  const labels = Uint32Array.from(counts.flatMap((count, label) => Array<number>(count).fill(label)));
  return { count: labels.length, height: 1, width: 1, channels: 1, pixels: Uint8Array.from(labels.keys()), labels };
};
const random = (seed = 0) => createRandomStream(seed, 'validation');
const countsOf = ({ labels }: ImageSet): number[] =>
  [0, 1, 2].map((label) => labels!.filter((one) => one === label).length);

test('of each class its share, as many as asked for', () => {
  const { kept, heldOut } = holdOut(images(30, 20, 10), 12, random());
  expect([countsOf(heldOut), countsOf(kept)]).toEqual([
    [6, 4, 2],
    [24, 16, 8],
  ]);
  for (const count of [0, 1, 7, 59, 60]) {
    const parts = holdOut(images(30, 20, 10), count, random());
    expect([parts.heldOut.count, parts.kept.count]).toEqual([count, 60 - count]);
  }
});

test('each image is in one part, with its label', () => {
  const all = images(9, 5, 7);
  const { kept, heldOut } = holdOut(all, 6, random());
  expect([...kept.pixels, ...heldOut.pixels].toSorted((a, b) => a - b)).toEqual([...all.pixels]);
  for (const part of [kept, heldOut])
    expect([...part.labels!]).toEqual(Array.from(part.pixels, (pixel) => all.labels![pixel]));
});

test('follows from the seed', () => {
  const all = images(30, 20, 10);
  expect(holdOut(all, 12, random())).toEqual(holdOut(all, 12, random()));
  expect(holdOut(all, 12, random(1)).heldOut.pixels).not.toEqual(holdOut(all, 12, random()).heldOut.pixels);
});
