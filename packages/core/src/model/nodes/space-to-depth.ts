import { reshape, transpose } from '../../autodiff/operations/layout.ts';
import { integer } from '../field-readers.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';
import { passOn } from './_pass-on.ts';
import { slideAxes } from './_slide-axes.ts';
import { requireImage } from './_window.ts';

/** Moves `blockSize` x `blockSize` pixels into channels, counted by row, column, channel (ONNX's order). */
export interface SpaceToDepthNode extends NodeBase {
  readonly kind: 'spaceToDepth';
  readonly blockSize: number;
}

/** The way back of `depthToSpace` by rows first. */
export const spaceToDepth: NodeKind<SpaceToDepthNode> = {
  fields: { blockSize: integer(1) },

  infer({ blockSize }, [input], fail) {
    requireImage(input, fail);
    const [height, width, channels] = input;
    if (height % blockSize !== 0 || width % blockSize !== 0)
      fail(`read multiples of ${blockSize} rows and columns`, `[${input.join(', ')}]`);
    return { output: [height / blockSize, width / blockSize, channels * blockSize ** 2] };
  },

  forward({ blockSize }, [input], { tape }) {
    const [batch, height, width, channels] = input.shape;
    const [rows, columns] = [height / blockSize, width / blockSize];
    const blocks = reshape(tape, input, [batch, rows, blockSize, columns, blockSize, channels]);
    const moved = passOn(tape, blocks, (value) => transpose(tape, value, [0, 1, 3, 2, 4, 5]));
    return passOn(tape, moved, (value) => reshape(tape, value, [batch, rows, columns, channels * blockSize ** 2]));
  },

  // Each pixel of a block has the same channels.
  follow: ({ blockSize }, [input], flow, shapes) => ({
    output: [
      ...slideAxes(input, null, flow, shapes),
      input[2] && Array.from({ length: blockSize ** 2 }, () => input[2]!).flat(),
    ],
  }),
};
