import { reshape, transpose } from '../../autodiff/operations/layout.ts';
import { oneOf } from '../field-readers.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';
import { reshapeChannels } from './_reshape-channels.ts';
import { sizeOf } from '../../shape.ts';
import { passOn } from './_pass-on.ts';

/**
 * Makes one row of each example. `order` says in which order a `[height, width, channels]` input is read: `'hwc'` as
 * it lies, or `'chw'` as a network that was trained in NCHW expects.
 */
export interface FlattenNode extends NodeBase {
  readonly kind: 'flatten';
  readonly order: 'hwc' | 'chw';
}

/** One row of each example. */
export const flatten: NodeKind<FlattenNode> = {
  fields: { order: oneOf('hwc', 'chw') },

  infer: (_, [input]) => ({ output: [sizeOf(input)] }),

  forward({ order }, [input], { tape }) {
    const [batch, ...shape] = input.shape;
    const size = sizeOf(shape);
    // One position has only one order.
    if (order === 'hwc' || shape.length !== 3 || shape[0] * shape[1] === 1) return reshape(tape, input, [batch, size]);
    return passOn(tape, transpose(tape, input, [0, 3, 1, 2]), (value) => reshape(tape, value, [batch, size]));
  },

  follow({ order }, [input], flow, { inputs: [shape], output }) {
    const isChannelsFirst = order === 'chw' && shape.length === 3;
    const from = isChannelsFirst ? [shape[2], shape[0], shape[1]] : shape;
    const layout = isChannelsFirst ? [input[2], input[0], input[1]] : input;
    return { output: reshapeChannels(layout, from, output, flow) };
  },
};
