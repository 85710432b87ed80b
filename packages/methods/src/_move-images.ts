import type { RandomStream } from '@dafl/core';
import { concat, matMul, reshape, slice, type Tape, type Value } from '@dafl/core/autodiff';

/** How a group of images is moved. */
export interface ImageMove {
  /** Pixels, negative for up. */
  readonly down: number;
  /** Pixels, negative for left. */
  readonly right: number;
  readonly isFlipped: boolean;
}

/** Groups of images that move together in one batch: a draw for each image would be an operation for each. */
const GROUPS = 8;

/** Draws a move for each group of a batch. @param shift Largest shift in pixels. */
export function drawMoves(random: RandomStream, shift: number, flips: boolean): ImageMove[] {
  const shifts = random.integers(2 * GROUPS, 2 * shift + 1);
  const mirrored = random.integers(GROUPS, 2);
  return Array.from(mirrored, (flip, group) => ({
    down: shifts[2 * group] - shift,
    right: shifts[2 * group + 1] - shift,
    isFlipped: flips && flip === 1,
  }));
}

/**
 * Shifts and mirrors images, groups of them alike, with gradient.
 *
 * @param images Shape `[batch, height, width, channels]`.
 * @param edge What moves in: the border, continued, or what moved out at the other side.
 */
export function moveImages(tape: Tape, images: Value, moves: readonly ImageMove[], edge: 'border' | 'wrap'): Value {
  const [batch, height, width, channels] = images.shape;
  const groups = Math.min(batch, moves.length);
  const moved = Array.from({ length: groups }, (_, group) => {
    const begin = Math.floor((group * batch) / groups);
    const count = Math.floor(((group + 1) * batch) / groups) - begin;
    const { down, right, isFlipped } = moves[group];
    let value = slice(tape, images, [begin, 0, 0, 0], [count, height, width, channels]);
    value = roll(tape, value, 1, down, edge);
    value = roll(tape, value, 2, right, edge);
    return isFlipped ? mirror(tape, value) : value;
  });
  return concat(tape, moved, 0);
}

function roll(tape: Tape, images: Value, axis: number, by: number, edge: 'border' | 'wrap'): Value {
  if (by === 0) return images;
  const length = images.shape[axis];
  const block = (begin: number, size: number): Value =>
    slice(
      tape,
      images,
      images.shape.map((_, other) => (other === axis ? begin : 0)),
      images.shape.map((whole, other) => (other === axis ? size : whole)),
    );
  const distance = Math.abs(by);
  const kept = block(by > 0 ? 0 : distance, length - distance);
  const moveIn =
    edge === 'wrap'
      ? [block(by > 0 ? length - distance : 0, distance)]
      : Array<Value>(distance).fill(block(by > 0 ? 0 : length - 1, 1));
  return concat(tape, by > 0 ? [...moveIn, kept] : [kept, ...moveIn], axis);
}

/** Left to right. */
function mirror(tape: Tape, images: Value): Value {
  const [batch, height, width, channels] = images.shape;
  const size = width * channels;
  const matrix = new Float32Array(size * size);
  for (let column = 0; column < width; column++) {
    for (let channel = 0; channel < channels; channel++)
      matrix[(column * channels + channel) * size + (width - 1 - column) * channels + channel] = 1;
  }
  const permutation = tape.own(tape.backend.tensor(matrix, [size, size]));
  const rows = reshape(tape, images, [batch * height, size]);
  return reshape(tape, matMul(tape, rows, permutation), images.shape);
}
