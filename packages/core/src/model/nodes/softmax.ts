import { reshape, transpose } from '../../autodiff/operations/layout.ts';
import { logSoftmax, softmax as normalize } from '../../autodiff/operations/softmax.ts';
import { boolean, integer } from '../field-readers.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';
import { passChannels } from './_pass-channels.ts';
import { passOn } from './_pass-on.ts';
import { sizeOf } from '../../shape.ts';

/** Softmax over one axis (without the batch), or its logarithm. */
export interface SoftmaxNode extends NodeBase {
  readonly kind: 'softmax';
  readonly axis: number;
  readonly logarithm: boolean;
}

/** Softmax over an axis. */
export const softmax: NodeKind<SoftmaxNode> = {
  fields: { axis: integer(0, 4), logarithm: boolean },

  infer({ axis }, [input], fail) {
    if (axis >= input.length) fail(`have an axis of [${input.join(', ')}]`, String(axis));
    return { output: input };
  },

  forward({ axis, logarithm }, [input], { tape }) {
    const rank = input.shape.length;
    // There and back: the axis and the last one change places.
    const swap = input.shape.map((_, index) => (index === axis + 1 ? rank - 1 : index === rank - 1 ? axis + 1 : index));
    const moved = axis + 1 === rank - 1 ? reshape(tape, input, input.shape) : transpose(tape, input, swap);
    const { shape } = moved;
    const width = shape[rank - 1];
    const rows = sizeOf(shape.slice(0, -1));
    const flat = passOn(tape, moved, (value) => reshape(tape, value, [rows, width]));
    const normal = passOn(tape, flat, (value) => (logarithm ? logSoftmax : normalize)(tape, value));
    const shaped = passOn(tape, normal, (value) => reshape(tape, value, shape));
    return axis + 1 === rank - 1 ? shaped : passOn(tape, shaped, (value) => transpose(tape, value, swap));
  },

  follow: passChannels,
};
