import type { ImageSet, RandomStream } from '@dafl/core';
import { pickImages } from '../data/pick-images.ts';

/** Two parts of an image set, each in the original order. */
export interface HeldOutImages {
  readonly kept: ImageSet;
  readonly heldOut: ImageSet;
}

/**
 * Draws images to be held out: of each class its share of all, rounded so that the sum is right (largest remainders).
 *
 * @param images Labelled, or of one class.
 * @param count How many, in 0..images.count.
 */
export function holdOut(images: ImageSet, count: number, random: RandomStream): HeldOutImages {
  const members = new Map<number, number[]>();
  for (const index of random.permutation(images.count)) {
    const label = images.labels?.[index] ?? 0;
    const ofClass = members.get(label);
    if (ofClass === undefined) members.set(label, [index]);
    else ofClass.push(index);
  }
  const classes = [...members.entries()].toSorted(([a], [b]) => a - b).map(([, indices]) => indices);
  const shares = classes.map(({ length }) => (length * count) / images.count);
  const quotas = shares.map((share) => Math.floor(share));
  const missing = count - quotas.reduce((total, quota) => total + quota, 0);
  const byRemainder = shares
    .map((share, index) => ({ index, remainder: share % 1 }))
    .toSorted((a, b) => b.remainder - a.remainder);
  for (const { index } of byRemainder.slice(0, missing)) quotas[index]++;
  const held = new Set(classes.flatMap((indices, index) => indices.slice(0, quotas[index])));
  const all = Array.from({ length: images.count }, (_, index) => index);
  return {
    kept: pickImages(
      images,
      all.filter((index) => !held.has(index)),
    ),
    heldOut: pickImages(
      images,
      all.filter((index) => held.has(index)),
    ),
  };
}
