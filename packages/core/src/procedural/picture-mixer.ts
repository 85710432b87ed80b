import { pixelTable, translatePixels } from '../data/translate-pixels.ts';
import type { RandomStream } from '../random.ts';
import type { PictureSize } from './canvas.ts';

/** How two pictures become one. */
export type Mixing = 'none' | 'mixup' | 'cutmix';

/** The space that pictures are brought to. */
export interface PictureMixerOptions {
  readonly size: PictureSize;
  /** Of the teacher's preprocessing, one for each channel. */
  readonly mean: readonly number[];
  readonly standardDeviation: readonly number[];
}

/** What is done to the pictures of a batch. */
export interface Mixture {
  /** mixup: a blend with another picture of the batch (Zhang et al., 2018); cutmix: a rectangle of it (Yun et al., 2019). */
  readonly mixing: Mixing;
  /** Largest shift in pixels; what moves in continues the border. */
  readonly shift: number;
  /** Whether half of the pictures are mirrored left to right. */
  readonly horizontalFlip: boolean;
}

/** Shifts, mirrors and mixes pictures, and brings them to the teacher's input space. */
export class PictureMixer {
  readonly #size: PictureSize;
  readonly #pictureSize: number;
  /** What each byte is in the input space, channel by channel. */
  readonly #table: Float32Array;
  // Memory that is taken once: fresh pages are dear.
  #moved: Uint8Array = new Uint8Array();
  #output: Float32Array = new Float32Array();

  constructor({ size, mean, standardDeviation }: PictureMixerOptions) {
    this.#size = size;
    this.#pictureSize = size.height * size.width * size.channels;
    this.#table = pixelTable({ mean, standardDeviation });
  }

  /**
   * Prepares a batch, each picture by its own draws.
   *
   * @param pictures Bytes, each of shape `[height, width, channels]`.
   * @returns Shape `[pictures.length, height, width, channels]`; valid until the next call.
   */
  mix(pictures: readonly Uint8Array[], { mixing, shift, horizontalFlip }: Mixture, random: RandomStream): Float32Array {
    const { height, width, channels } = this.#size;
    const size = this.#pictureSize;
    const count = pictures.length;
    this.#take(count * size);
    const moved = this.#moved;
    const output = this.#output;
    const shifts = random.integers(count * 2, 2 * shift + 1);
    const flips = random.integers(count, 2);
    for (let index = 0; index < count; index++) {
      const down = shifts[2 * index] - shift;
      const right = shifts[2 * index + 1] - shift;
      move(pictures[index], moved, index * size, this.#size, down, right, horizontalFlip && flips[index] === 1);
    }
    const result = output.subarray(0, count * size);
    if (mixing === 'none') {
      this.#translate(0, count * size, 0);
      return result;
    }
    const partners = random.permutation(count);
    const numbers = random.uniform(count * 4);
    const rowLength = width * channels;
    for (let index = 0; index < count; index++) {
      const begin = index * size;
      const other = partners[index] * size;
      if (mixing === 'mixup') {
        blend(moved, begin, other, size, numbers[4 * index], this.#table, output);
        continue;
      }
      this.#translate(begin, size, begin);
      const [top, bottom] = inOrder(numbers[4 * index], numbers[4 * index + 1], height);
      const [left, right] = inOrder(numbers[4 * index + 2], numbers[4 * index + 3], width);
      for (let row = top; row < bottom; row++) {
        const offset = row * rowLength + left * channels;
        this.#translate(other + offset, (right - left) * channels, begin + offset);
      }
    }
    return result;
  }

  /**
   * Brings pictures to the input space as they are.
   *
   * @returns As `mix` does.
   */
  normalize(pictures: readonly Uint8Array[]): Float32Array {
    const length = pictures.length * this.#pictureSize;
    this.#take(length);
    pictures.forEach((picture, index) => this.#moved.set(picture, index * this.#pictureSize));
    this.#translate(0, length, 0);
    return this.#output.subarray(0, length);
  }

  #take(length: number): void {
    if (this.#output.length >= length) return;
    this.#moved = new Uint8Array(length);
    this.#output = new Float32Array(length);
  }

  /** Looks `length` bytes up, which begin with the first channel. */
  #translate(from: number, length: number, to: number): void {
    translatePixels(this.#moved, from, length, this.#table, this.#output, to);
  }
}

/** `share` of the picture at `begin`, the rest of the one at `other`. */
function blend(
  bytes: Uint8Array,
  begin: number,
  other: number,
  length: number,
  share: number,
  table: Float32Array,
  output: Float32Array,
): void {
  const channels = table.length / 256;
  for (let channel = 0; channel < channels; channel++) {
    const base = 256 * channel;
    for (let offset = channel; offset < length; offset += channels) {
      const from = table[base + bytes[other + offset]];
      output[begin + offset] = from + share * (table[base + bytes[begin + offset]] - from);
    }
  }
}

function inOrder(first: number, second: number, length: number): [number, number] {
  const [a, b] = [Math.floor(first * (length + 1)), Math.floor(second * (length + 1))];
  return a < b ? [a, b] : [b, a];
}

/** Copies a picture to `to`, moved; what moves in continues the border. */
function move(
  picture: Uint8Array,
  output: Uint8Array,
  to: number,
  { height, width, channels }: PictureSize,
  down: number,
  right: number,
  isFlipped: boolean,
): void {
  const length = width * channels;
  const columns = new Int32Array(length);
  for (let column = 0, at = 0; column < width; column++) {
    const shifted = Math.min(width - 1, Math.max(0, column - right));
    const from = (isFlipped ? width - 1 - shifted : shifted) * channels;
    for (let channel = 0; channel < channels; channel++) columns[at++] = from + channel;
  }
  for (let row = 0; row < height; row++) {
    const begin = Math.min(height - 1, Math.max(0, row - down)) * length;
    const at = to + row * length;
    for (let offset = 0; offset < length; offset++) output[at + offset] = picture[begin + columns[offset]];
  }
}
