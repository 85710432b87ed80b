import type { Classifier, RandomStream } from '@dafl/core';

/** Random changes to training images that keep their class. */
export interface AugmentationOptions {
  /** Largest shift in pixels, up, down, left and right; what moves in is black. 0 for none. */
  readonly shift: number;
  /** Whether half of the images are mirrored. */
  readonly horizontalFlip: boolean;
}

/**
 * Shifts and mirrors preprocessed images, each by its own random draw (He et al., 2016: pad by 4, crop, flip).
 *
 * @param inputs Shape `[batch, height, width, channels]`, as `preprocess` returns them.
 * @param mirrored 1 for each image to mirror; default: drawn.
 * @returns A new array of the same shape.
 */
export function augment(
  inputs: Float32Array,
  classifier: Classifier,
  options: AugmentationOptions,
  random: RandomStream,
  mirrored?: Uint32Array,
): Float32Array {
  const [height, width, channels] = classifier.inputShape;
  const { mean, standardDeviation } = classifier.preprocessing;
  const black = mean.map((value, channel) => -value / standardDeviation[channel]);
  const imageSize = height * width * channels;
  const batch = inputs.length / imageSize;
  const span = 2 * options.shift + 1;
  const shifts = random.integers(batch * 2, span);
  const drawn = random.integers(batch, 2);
  const flips = mirrored ?? drawn;
  const output = new Float32Array(inputs.length);
  for (let image = 0; image < batch; image++) {
    const down = shifts[image * 2] - options.shift;
    const right = shifts[image * 2 + 1] - options.shift;
    const isFlipped = options.horizontalFlip && flips[image] === 1;
    for (let row = 0; row < height; row++) {
      const fromRow = row - down;
      for (let column = 0; column < width; column++) {
        const shifted = column - right;
        const fromColumn = isFlipped ? width - 1 - shifted : shifted;
        const isInside = fromRow >= 0 && fromRow < height && fromColumn >= 0 && fromColumn < width;
        const to = image * imageSize + (row * width + column) * channels;
        const from = image * imageSize + (fromRow * width + fromColumn) * channels;
        for (let channel = 0; channel < channels; channel++)
          output[to + channel] = isInside ? inputs[from + channel] : black[channel];
      }
    }
  }
  return output;
}
