import type { ImageSet } from '@dafl/core';

/** Those images of a set, in the order that they are named in. */
export function pickImages(images: ImageSet, indices: readonly number[]): ImageSet {
  const size = images.height * images.width * images.channels;
  const pixels = new Uint8Array(indices.length * size);
  indices.forEach((index, position) => {
    pixels.set(images.pixels.subarray(index * size, (index + 1) * size), position * size);
  });
  const { labels } = images;
  return {
    ...images,
    count: indices.length,
    pixels,
    labels: labels && Uint32Array.from(indices, (index) => labels[index]),
  };
}
