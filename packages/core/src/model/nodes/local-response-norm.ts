import { add, affine, multiply, square } from '../../autodiff/operations/element-wise.ts';
import { pad, slice } from '../../autodiff/operations/layout.ts';
import { integer, number } from '../field-readers.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';
import { passChannels } from './_pass-channels.ts';
import { passOn } from './_pass-on.ts';
import { raise } from './power.ts';
import { sizeOf } from '../../shape.ts';

/**
 * input / (bias + alpha / size x sum of squares)^beta, the sum taken over `size` neighbouring channels, of which
 * floor((size - 1) / 2) stand before.
 */
export interface LocalResponseNormNode extends NodeBase {
  readonly kind: 'localResponseNorm';
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly bias: number;
}

/** Normalisation by neighbouring channels (Krizhevsky et al., "ImageNet Classification", 2012, section 3.3). */
export const localResponseNorm: NodeKind<LocalResponseNormNode> = {
  fields: {
    size: integer(1, 1024),
    alpha: number('a number >= 0', (value) => value >= 0),
    beta: number(),
    bias: number('a number > 0', (value) => value > 0),
  },

  infer: (_, [input]) => ({ output: input }),

  forward({ size, alpha, beta, bias }, [input], { tape }) {
    const { shape } = input;
    const last = shape.length - 1;
    const before = Math.floor((size - 1) / 2);
    const paddings = shape.map((_, axis): [number, number] => (axis === last ? [before, size - 1 - before] : [0, 0]));
    const squares = passOn(tape, square(tape, input), (value) => pad(tape, value, paddings));
    const at = (shift: number) =>
      slice(
        tape,
        squares,
        shape.map((_, axis) => (axis === last ? shift : 0)),
        shape,
      );
    let total = at(0);
    for (let shift = 1; shift < size; shift++) {
      const next = at(shift);
      total = passOn(tape, total, (value) => add(tape, value, next));
      tape.release(next);
    }
    tape.release(squares);
    const raised = passOn(tape, total, (value) => affine(tape, value, alpha / size, bias));
    const factor = passOn(tape, raised, (value) => raise(tape, value, -beta));
    return passOn(tape, factor, (value) => multiply(tape, input, value));
  },

  cost: ({ size }, [input]) => ({ operations: size * sizeOf(input) }),

  follow: passChannels,
};
