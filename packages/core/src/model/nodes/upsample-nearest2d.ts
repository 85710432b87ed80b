import type { Size2d } from '../../backend.ts';
import { upsampleNearest2d as upsample } from '../../autodiff/operations/pooling.ts';
import { size2d } from '../field-readers.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';
import { slideAxes } from './_slide-axes.ts';
import { requireImage } from './_window.ts';

/** Repeats pixels. */
export interface UpsampleNode extends NodeBase {
  readonly kind: 'upsampleNearest2d';
  readonly factors: Size2d;
}

/** Nearest-neighbour upsampling by whole factors. */
export const upsampleNearest2d: NodeKind<UpsampleNode> = {
  fields: { factors: size2d },

  infer({ factors }, [input], fail) {
    requireImage(input, fail);
    return { output: [input[0] * factors[0], input[1] * factors[1], input[2]] };
  },

  forward: ({ factors }, [input], { tape }) => upsample(tape, input, factors),

  follow: (_, [input], flow, shapes) => ({
    output: [...slideAxes(input, null, flow, shapes), input[2]],
  }),
};
