import type { Classifier } from '@dafl/core';
import type { ImageMove } from './_move-images.ts';

/**
 * Shifts and mirrors images of bytes, each by its own move, and brings them to the classifier's input space. What moves in
 * continues the border.
 *
 * @param pixels Bytes, each of the classifier's input shape.
 * @returns Shape `[pixels.length, height, width, channels]`.
 */
export function viewImages(
  pixels: readonly Uint8Array[],
  moves: readonly ImageMove[],
  { inputShape, preprocessing: { mean, standardDeviation } }: Classifier,
): Float32Array {
  const [height, width, channels] = inputShape;
  const table = Float32Array.from({ length: channels * 256 }, (_, index) => {
    const channel = index >> 8;
    return ((index & 255) / 255 - mean[channel]) / standardDeviation[channel];
  });
  const output = new Float32Array(pixels.length * height * width * channels);
  const columns = new Int32Array(width);
  let to = 0;
  pixels.forEach((image, index) => {
    const { down, right, isFlipped } = moves[index];
    for (let column = 0; column < width; column++) {
      // As moveImages does: shifted first, then mirrored.
      const from = isFlipped ? width - 1 - column : column;
      columns[column] = Math.min(width - 1, Math.max(0, from - right)) * channels;
    }
    for (let row = 0; row < height; row++) {
      const begin = Math.min(height - 1, Math.max(0, row - down)) * width * channels;
      for (let column = 0; column < width; column++) {
        const at = begin + columns[column];
        for (let channel = 0; channel < channels; channel++) output[to++] = table[channel * 256 + image[at + channel]];
      }
    }
  });
  return output;
}
