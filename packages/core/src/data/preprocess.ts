import { fail } from '../check.ts';
import type { Classifier } from '../model/classifier.ts';
import type { ImageSet } from './image-set.ts';
import { pixelTable, translatePixels } from './translate-pixels.ts';

/** Where each output position reads from along one axis: two neighbours and the share of the second. */
interface Taps {
  readonly lows: Int32Array;
  readonly highs: Int32Array;
  readonly shares: Float64Array;
}

/** Bilinear taps with half-pixel centres, clamped at the edges (PyTorch's `align_corners=False`, no antialiasing). */
function tapsOf(from: number, to: number): Taps {
  const positions = Float64Array.from({ length: to }, (_, index) => Math.max(0, ((index + 0.5) * from) / to - 0.5));
  const lows = Int32Array.from(positions, (position) => Math.min(Math.floor(position), from - 1));
  return {
    lows,
    highs: lows.map((low) => Math.min(low + 1, from - 1)),
    shares: positions.map((position, index) => position - lows[index]),
  };
}

/** The same for a row of pixels: a position for each channel. */
function interleave({ lows, highs, shares }: Taps, channels: number): Taps {
  const length = lows.length * channels;
  const place = (taps: Int32Array): Int32Array =>
    Int32Array.from({ length }, (_, index) => taps[Math.floor(index / channels)] * channels + (index % channels));
  return {
    lows: place(lows),
    highs: place(highs),
    shares: Float64Array.from({ length }, (_, index) => shares[Math.floor(index / channels)]),
  };
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
  const output = new Float32Array(indices.length * height * width * channels);
  const imageSize = images.height * images.width * channels;
  if (images.height === height && images.width === width) {
    const table = pixelTable(classifier.preprocessing);
    for (let index = 0; index < indices.length; index++)
      translatePixels(images.pixels, indices[index] * imageSize, imageSize, table, output, index * imageSize);
    return output;
  }
  resize(images, indices, classifier, output);
  return output;
}

/** Rows first, then columns. Plain loops over flat arrays: an evaluation resizes ten thousand images, many times a run. */
function resize(images: ImageSet, indices: ArrayLike<number>, classifier: Classifier, output: Float32Array): void {
  const [height, width, channels] = classifier.inputShape;
  const down = tapsOf(images.height, height);
  const across = interleave(tapsOf(images.width, width), channels);
  const rowSize = images.width * channels;
  const newRowSize = width * channels;
  const { mean, standardDeviation } = classifier.preprocessing;
  const scales = Float64Array.from({ length: newRowSize }, (_, at) => 1 / (255 * standardDeviation[at % channels]));
  const offsets = scales.map((_, at) => -mean[at % channels] / standardDeviation[at % channels]);
  const stretched = new Float64Array(images.height * newRowSize);
  let position = 0;
  for (let index = 0; index < indices.length; index++) {
    const start = indices[index] * images.height * rowSize;
    for (let row = 0; row < images.height; row++)
      stretchRow(images.pixels, start + row * rowSize, across, stretched, row * newRowSize);
    for (let row = 0; row < height; row++) {
      const share = down.shares[row];
      const low = down.lows[row] * newRowSize;
      const high = down.highs[row] * newRowSize;
      for (let at = 0; at < newRowSize; at++) {
        const pixel = stretched[low + at] * (1 - share) + stretched[high + at] * share;
        output[position++] = pixel * scales[at] + offsets[at];
      }
    }
  }
}

function stretchRow(pixels: Uint8Array, from: number, taps: Taps, output: Float64Array, to: number): void {
  const { lows, highs, shares } = taps;
  for (let at = 0; at < lows.length; at++)
    output[to + at] = pixels[from + lows[at]] * (1 - shares[at]) + pixels[from + highs[at]] * shares[at];
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
