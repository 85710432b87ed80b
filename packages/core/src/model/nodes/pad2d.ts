import type { Padding2d } from '../../backend.ts';
import { pad } from '../../autodiff/operations/layout.ts';
import { padding2d } from '../field-readers.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';
import { passChannels } from './_pass-channels.ts';
import { paddedSize, requireImage } from './_window.ts';

/** Zeros around height and width. */
export interface PadNode extends NodeBase {
  readonly kind: 'pad2d';
  readonly padding: Padding2d;
}

/** Padding of maps. */
export const pad2d: NodeKind<PadNode> = {
  fields: { padding: padding2d },

  infer({ padding }, [input], fail) {
    requireImage(input, fail);
    const [height, width, channels] = input;
    return {
      output: [height + padding.top + padding.bottom, width + padding.left + padding.right, channels],
    };
  },

  forward: ({ padding: { top, bottom, left, right } }, [input], { tape }) =>
    pad(tape, input, [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ]),

  cost: ({ padding }, [input]) => ({ workspace: paddedSize(input, padding) }),

  follow: passChannels,
};
