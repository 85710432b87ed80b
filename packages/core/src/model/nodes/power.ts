import { affine, clip, divide, exp, log, multiply, square } from '../../autodiff/operations/element-wise.ts';
import { squareRoot } from '../../autodiff/operations/square-root.ts';
import type { Tape, Value } from '../../autodiff/tape.ts';
import { number } from '../field-readers.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';
import { passChannels } from './_pass-channels.ts';
import { passOn } from './_pass-on.ts';

/** Each element to the power `exponent`. Exponents that are neither whole nor 1/2 need elements >= 0. */
export interface PowerNode extends NodeBase {
  readonly kind: 'power';
  readonly exponent: number;
}

/** Power. */
export const power: NodeKind<PowerNode> = {
  fields: { exponent: number() },
  infer: (_, [input]) => ({ output: input }),
  forward: ({ exponent }, [input], { tape }) => raise(tape, input, exponent),
  follow: passChannels,
};

/** A little more than the least number of float32 with all its digits. */
const LEAST = 1e-37;
const LARGEST = 3.4028234663852886e38;

/** input^exponent */
export function raise(tape: Tape, input: Value, exponent: number): Value {
  if (exponent === 1) return affine(tape, input, 1);
  if (exponent === 2) return square(tape, input);
  if (exponent === 0.5) return squareRoot(tape, input);
  if (exponent < 0) {
    const one = tape.own(tape.backend.fill([], 1));
    const inverse = passOn(tape, raise(tape, input, -exponent), (value) => divide(tape, one, value));
    tape.release(one);
    return inverse;
  }
  if (Number.isInteger(exponent) && exponent > 0 && exponent <= 64) {
    const half = passOn(tape, raise(tape, input, Math.floor(exponent / 2)), (value) => square(tape, value));
    return exponent % 2 === 0 ? half : passOn(tape, half, (value) => multiply(tape, value, input));
  }
  // A logarithm of 0, and its slope, are infinite: 0 is taken as a little more, without a slope.
  const above = clip(tape, input, LEAST, LARGEST);
  const logarithm = passOn(tape, above, (value) => log(tape, value));
  const scaled = passOn(tape, logarithm, (value) => affine(tape, value, exponent));
  return passOn(tape, scaled, (value) => exp(tape, value));
}
