import { reshape, transpose } from '../../autodiff/operations/layout.ts';
import { integer, oneOf } from '../field-readers.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';
import { passOn } from './_pass-on.ts';
import { slideAxes } from './_slide-axes.ts';
import { reshapeChannels } from './_reshape-channels.ts';
import { requireImage } from './_window.ts';

/**
 * Moves blocks of channels into `blockSize` x `blockSize` pixels. `order` says how the input's channels are counted: by
 * row, column, channel (`rowsFirst`; ONNX's DCR) or channel, row, column (`channelsFirst`; ONNX's CRD, PyTorch's pixel
 * shuffle).
 */
export interface DepthToSpaceNode extends NodeBase {
  readonly kind: 'depthToSpace';
  readonly blockSize: number;
  readonly order: 'rowsFirst' | 'channelsFirst';
}

/** Pixel shuffle. */
export const depthToSpace: NodeKind<DepthToSpaceNode> = {
  fields: { blockSize: integer(1), order: oneOf('rowsFirst', 'channelsFirst') },

  infer({ blockSize }, [input], fail) {
    requireImage(input, fail);
    const [height, width, channels] = input;
    if (channels % blockSize ** 2 !== 0) fail(`read a multiple of ${blockSize ** 2} channels`, String(channels));
    return { output: [height * blockSize, width * blockSize, channels / blockSize ** 2] };
  },

  forward({ blockSize, order }, [input], { tape }) {
    const [batch, height, width, channels] = input.shape;
    const depth = channels / blockSize ** 2;
    const split =
      order === 'rowsFirst'
        ? [batch, height, width, blockSize, blockSize, depth]
        : [batch, height, width, depth, blockSize, blockSize];
    const blocks = reshape(tape, input, split);
    const axes = order === 'rowsFirst' ? [0, 1, 3, 2, 4, 5] : [0, 1, 4, 2, 5, 3];
    const moved = passOn(tape, blocks, (value) => transpose(tape, value, axes));
    return passOn(tape, moved, (value) => reshape(tape, value, [batch, height * blockSize, width * blockSize, depth]));
  },

  follow({ blockSize, order }, [input], flow, shapes) {
    const around = slideAxes(input, null, flow, shapes);
    const [, , channels] = input;
    const depth = shapes.output[2];
    if (channels === null) return { output: [...around, null] };
    // The entries of one channel go together.
    const inOrder =
      order === 'rowsFirst'
        ? channels
        : channels.map((_, index) => channels[(index % depth) * blockSize ** 2 + Math.floor(index / depth)]);
    const [, axis] = reshapeChannels([inOrder], [channels.length], [blockSize ** 2, depth], flow);
    return { output: [...around, axis] };
  },
};
