import { mean } from '../../autodiff/operations/reduction.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';
import { requireImage } from './_window.ts';

/** Mean over height and width: `[batch, height, width, channels]` to `[batch, channels]`. */
export interface GlobalAveragePoolNode extends NodeBase {
  readonly kind: 'globalAveragePool2d';
}

/** Global average pooling. */
export const globalAveragePool2d: NodeKind<GlobalAveragePoolNode> = {
  fields: {},

  infer(_, [input], fail) {
    requireImage(input, fail);
    return { output: [input[2]] };
  },

  forward: (_, [input], { tape }) => mean(tape, input, [1, 2]),

  follow: (_, [input]) => ({ output: [input[2]] }),
};
