import { boolean, number } from '../field-readers.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';
import { affineChannels, affineWeights, normalize, scaleAndShift } from './_normalize.ts';
import { requireImage } from './_window.ts';

/** Weights `scale` and `offset` (with `affine`), each `[channels]`. */
export interface InstanceNormNode extends NodeBase {
  readonly kind: 'instanceNorm';
  readonly epsilon: number;
  readonly affine: boolean;
}

/** Normalises each channel of each example over height and width (Ulyanov et al., 2016). */
export const instanceNorm: NodeKind<InstanceNormNode> = {
  fields: { epsilon: number('a number > 0', (value) => value > 0), affine: boolean },

  infer(node, [input], fail) {
    requireImage(input, fail);
    return { output: input, weights: node.affine ? affineWeights(input[2]) : {} };
  },

  forward: (node, [input], context) =>
    scaleAndShift(normalize(context.tape, input, [1, 2], node.epsilon), node.affine, context),

  follow: (node, [input]) => ({ output: input, weights: node.affine ? affineChannels(input[2]) : {} }),
};
