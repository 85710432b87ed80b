import { createRandomStream, type ImageSet } from '@dafl/core';

/** How a data set is made from another, so that few sources give teachers of many kinds. */
export interface ImageChange {
  /** Light becomes dark. */
  readonly inverts?: boolean;
  /** The new label of each old one. */
  readonly labels?: readonly number[];
  /** Whether each image is put beside another one: label `10 * left + right`, for ten classes. */
  readonly pairs?: boolean;
  /** Whether grey strokes become two random colours, one for the ground. */
  readonly colours?: boolean;
}

/**
 * Makes a data set from another: first the images change, then their labels.
 *
 * @param split Part of the seed, so that training and test images are paired and coloured apart.
 */
export function changeImages(images: ImageSet, change: ImageChange, split: string): ImageSet {
  const random = createRandomStream(0, `change images ${split}`);
  let changed = images;
  if (change.inverts === true) changed = { ...changed, pixels: changed.pixels.map((value) => 255 - value) };
  if (change.pairs === true) changed = pair(changed, random.permutation(images.count));
  if (change.colours === true) changed = colour(changed, random.uniform(changed.count * 6));
  const { labels } = change;
  if (labels !== undefined) changed = { ...changed, labels: changed.labels!.map((label) => labels[label]) };
  return { ...changed, classNames: undefined };
}

function pair({ count, height, width, channels, pixels, labels }: ImageSet, partners: Uint32Array): ImageSet {
  const row = width * channels;
  const paired = new Uint8Array(count * height * row * 2);
  for (let image = 0; image < count; image++) {
    for (let line = 0; line < height; line++) {
      const target = (image * height + line) * row * 2;
      [image, partners[image]].forEach((source, side) => {
        const begin = (source * height + line) * row;
        paired.set(pixels.subarray(begin, begin + row), target + side * row);
      });
    }
  }
  const joined = labels!.map((label, image) => 10 * label + labels![partners[image]]);
  return { count, height, width: width * 2, channels, pixels: paired, labels: joined };
}

/** @param draws Six for each image: the colours of ground and strokes, apart enough to be seen. */
function colour(images: ImageSet, draws: Float32Array): ImageSet {
  const { count, height, width, pixels, labels } = images;
  const size = height * width;
  const coloured = new Uint8Array(count * size * 3);
  for (let image = 0; image < count; image++) {
    const isLight = draws[image * 6] < 0.5;
    for (let channel = 0; channel < 3; channel++) {
      const [low, high] = [draws[image * 6 + channel] * 110, 145 + draws[image * 6 + 3 + channel] * 110];
      const [ground, stroke] = isLight ? [high, low] : [low, high];
      for (let pixel = 0; pixel < size; pixel++) {
        const share = pixels[image * size + pixel] / 255;
        coloured[(image * size + pixel) * 3 + channel] = Math.round(ground + (stroke - ground) * share);
      }
    }
  }
  return { count, height, width, channels: 3, pixels: coloured, labels };
}
