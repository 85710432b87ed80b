import { reshape, transpose } from '../../autodiff/operations/layout.ts';
import { matMul } from '../../autodiff/operations/mat-mul.ts';
import type { Tape, Value } from '../../autodiff/tape.ts';
import { passOn } from './_pass-on.ts';
import { sizeOf } from '../../shape.ts';

/** One of the positions that an output position reads along an axis, and its share. */
export interface Tap {
  readonly position: number;
  readonly share: number;
}

/**
 * Reads a map `[batch, height, width, channels]` at other rows and columns: the product with a matrix along each axis.
 *
 * @param taps Of each output row, then of each output column.
 */
export function resample(tape: Tape, input: Value, [rows, columns]: readonly [Tap[][], Tap[][]]): Value {
  // Each axis in its turn comes last, to be multiplied: [b, h, w, c] -> [b, h, c, w] -> [b, w', c, h] -> [b, h', w', c].
  const wide = passOn(tape, transpose(tape, input, [0, 1, 3, 2]), (value) => mix(tape, value, columns));
  const tall = passOn(tape, wide, (value) => transpose(tape, value, [0, 3, 2, 1]));
  const mixed = passOn(tape, tall, (value) => mix(tape, value, rows));
  return passOn(tape, mixed, (value) => transpose(tape, value, [0, 3, 1, 2]));
}

/** Mixes the entries of the last axis. */
function mix(tape: Tape, input: Value, taps: readonly (readonly Tap[])[]): Value {
  const outer = input.shape.slice(0, -1);
  const size = input.shape[outer.length];
  const matrix = new Float32Array(size * taps.length);
  taps.forEach((shares, output) => {
    for (const { position, share } of shares) matrix[position * taps.length + output] += share;
  });
  const weights = tape.own(tape.backend.tensor(matrix, [size, taps.length]));
  const rows = sizeOf(outer);
  const flat = reshape(tape, input, [rows, size]);
  const product = passOn(tape, flat, (value) => matMul(tape, value, weights));
  tape.release(weights);
  return passOn(tape, product, (value) => reshape(tape, value, [...outer, taps.length]));
}
