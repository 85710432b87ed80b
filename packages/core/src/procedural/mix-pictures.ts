import type { RandomStream } from '../random.ts';
import type { PictureSize } from './canvas.ts';

/** How two pictures become one. */
export type Mixing = 'none' | 'mixup' | 'cutmix';

/** Options of `mixPictures`. */
export interface MixingOptions {
  readonly size: PictureSize;
  /** Largest shift in pixels; what moves in continues the border. */
  readonly shift: number;
  /** Whether half of the pictures are mirrored left to right. */
  readonly horizontalFlip: boolean;
  /** mixup: a blend with another picture of the batch (Zhang et al., 2018); cutmix: a rectangle of it (Yun et al., 2019). */
  readonly mixing: Mixing;
  /** Of the teacher's preprocessing, one for each channel. */
  readonly mean: readonly number[];
  readonly standardDeviation: readonly number[];
}

/**
 * Shifts, mirrors and mixes pictures, each by its own draw, and brings them to the teacher's input space.
 *
 * @param pictures Bytes, each of shape `[height, width, channels]`.
 * @returns Shape `[pictures.length, height, width, channels]`.
 */
export function mixPictures(
  pictures: readonly Uint8Array[],
  options: MixingOptions,
  random: RandomStream,
): Float32Array {
  const { height, width, channels } = options.size;
  const count = pictures.length;
  const size = height * width * channels;
  const moved = new Uint8Array(count * size);
  const span = 2 * options.shift + 1;
  const shifts = random.integers(count * 2, span);
  const flips = random.integers(count, 2);
  for (let index = 0; index < count; index++) {
    move(pictures[index], moved.subarray(index * size, (index + 1) * size), options.size, {
      down: shifts[2 * index] - options.shift,
      right: shifts[2 * index + 1] - options.shift,
      isFlipped: options.horizontalFlip && flips[index] === 1,
    });
  }
  const output = new Float32Array(count * size);
  const factors = options.standardDeviation.map((deviation) => 1 / (255 * deviation));
  const summands = options.mean.map((mean, channel) => -mean / options.standardDeviation[channel]);
  if (options.mixing === 'none') {
    for (let at = 0, channel = 0; at < output.length; at++) {
      output[at] = moved[at] * factors[channel] + summands[channel];
      if (++channel === channels) channel = 0;
    }
    return output;
  }
  const partners = random.permutation(count);
  const shares = random.uniform(count);
  const edges = random.uniform(count * 4);
  for (let index = 0; index < count; index++) {
    const begin = index * size;
    const other = partners[index] * size;
    if (options.mixing === 'mixup') {
      const share = shares[index];
      for (let offset = 0, channel = 0; offset < size; offset++) {
        const value = moved[other + offset] + share * (moved[begin + offset] - moved[other + offset]);
        output[begin + offset] = value * factors[channel] + summands[channel];
        if (++channel === channels) channel = 0;
      }
    } else {
      const [top, bottom] = inOrder(edges[4 * index], edges[4 * index + 1], height);
      const [left, right] = inOrder(edges[4 * index + 2], edges[4 * index + 3], width);
      let offset = 0;
      for (let row = 0; row < height; row++) {
        for (let column = 0; column < width; column++) {
          const isInside = row >= top && row < bottom && column >= left && column < right;
          const from = isInside ? other : begin;
          for (let channel = 0; channel < channels; channel++, offset++) {
            output[begin + offset] = moved[from + offset] * factors[channel] + summands[channel];
          }
        }
      }
    }
  }
  return output;
}

function inOrder(first: number, second: number, length: number): [number, number] {
  const [a, b] = [Math.floor(first * (length + 1)), Math.floor(second * (length + 1))];
  return a < b ? [a, b] : [b, a];
}

function move(
  picture: Uint8Array,
  output: Uint8Array,
  { height, width, channels }: PictureSize,
  { down, right, isFlipped }: { readonly down: number; readonly right: number; readonly isFlipped: boolean },
): void {
  let at = 0;
  for (let row = 0; row < height; row++) {
    const fromRow = Math.min(height - 1, Math.max(0, row - down));
    for (let column = 0; column < width; column++) {
      const shifted = Math.min(width - 1, Math.max(0, column - right));
      const fromColumn = isFlipped ? width - 1 - shifted : shifted;
      const from = (fromRow * width + fromColumn) * channels;
      for (let channel = 0; channel < channels; channel++) output[at++] = picture[from + channel];
    }
  }
}
