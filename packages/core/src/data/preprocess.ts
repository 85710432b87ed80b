import { fail } from '../check.ts';
import type { Classifier } from '../model/classifier.ts';
import type { ImageSet } from './image-set.ts';
import { pixelTable, translatePixels } from './translate-pixels.ts';

/** Where one output position reads from along one axis: two neighbours and the share of the second. */
interface Tap {
  readonly low: number;
  readonly high: number;
  readonly share: number;
}

/** Bilinear taps with half-pixel centres, clamped at the edges (PyTorch's `align_corners=False`, no antialiasing). */
function taps(from: number, to: number): Tap[] {
  return Array.from({ length: to }, (_, index) => {
    const position = Math.max(0, ((index + 0.5) * from) / to - 0.5);
    const low = Math.min(Math.floor(position), from - 1);
    return { low, high: Math.min(low + 1, from - 1), share: position - low };
  });
}

/**
 * Turns stored pixels into a classifier's input, by the preprocessing that its model carries: resized where needed,
 * scaled to 0..1, then (pixel - mean) / deviation.
 *
 * @param indices Which images, in which order.
 * @returns Shape `[indices.length, height, width, channels]` of the classifier's input.
 * @throws {DaflError} `DATA` if the channels differ.
 */
export function preprocess(images: ImageSet, indices: ArrayLike<number>, classifier: Classifier): Float32Array {
  const [height, width, channels] = classifier.inputShape;
  if (images.channels !== channels) {
    fail({
      code: 'DATA',
      cannot: 'preprocess images',
      as: `they must have ${channels} channels`,
      value: images.channels,
    });
  }
  const { mean, standardDeviation } = classifier.preprocessing;
  const output = new Float32Array(indices.length * height * width * channels);
  const imageSize = images.height * images.width * channels;
  if (images.height === height && images.width === width) {
    const table = pixelTable(classifier.preprocessing);
    for (let index = 0; index < indices.length; index++)
      translatePixels(images.pixels, indices[index] * imageSize, imageSize, table, output, index * imageSize);
    return output;
  }
  const rows = taps(images.height, height);
  const columns = taps(images.width, width);
  const rowSize = images.width * channels;
  const { pixels } = images;
  let position = 0;
  for (let index = 0; index < indices.length; index++) {
    const start = indices[index] * imageSize;
    for (const row of rows) {
      const lowRow = start + row.low * rowSize;
      const highRow = start + row.high * rowSize;
      for (const column of columns) {
        const low = column.low * channels;
        const high = column.high * channels;
        for (let channel = 0; channel < channels; channel++, position++) {
          const top =
            pixels[lowRow + low + channel] * (1 - column.share) + pixels[lowRow + high + channel] * column.share;
          const bottom =
            pixels[highRow + low + channel] * (1 - column.share) + pixels[highRow + high + channel] * column.share;
          const pixel = (top * (1 - row.share) + bottom * row.share) / 255;
          output[position] = (pixel - mean[channel]) / standardDeviation[channel];
        }
      }
    }
  }
  return output;
}

/** The way back: network inputs to pixels in 0..1, limited to that range. */
export function toPixels(inputs: ArrayLike<number>, classifier: Classifier): Float32Array {
  const { mean, standardDeviation } = classifier.preprocessing;
  const channels = mean.length;
  return Float32Array.from({ length: inputs.length }, (_, index) => {
    const channel = index % channels;
    return Math.min(1, Math.max(0, inputs[index] * standardDeviation[channel] + mean[channel]));
  });
}
