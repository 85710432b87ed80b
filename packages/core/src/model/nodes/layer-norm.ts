import { boolean, number } from '../field-readers.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';
import { affineChannels, affineWeights, normalize, scaleAndShift } from './_normalize.ts';

/** Weights `scale` and `offset` (with `affine`), each `[channels]`. */
export interface LayerNormNode extends NodeBase {
  readonly kind: 'layerNorm';
  readonly epsilon: number;
  readonly affine: boolean;
}

/** Normalises the last axis of each position (Ba et al., "Layer Normalization", 2016). */
export const layerNorm: NodeKind<LayerNormNode> = {
  fields: { epsilon: number('a number > 0', (value) => value > 0), affine: boolean },

  infer: (node, [input]) => ({ output: input, weights: node.affine ? affineWeights(input[input.length - 1]) : {} }),

  forward: (node, [input], context) =>
    scaleAndShift(normalize(context.tape, input, [input.shape.length - 1], node.epsilon), node.affine, context),

  follow: (node, [input]) => ({
    output: input,
    weights: node.affine ? affineChannels(input[input.length - 1]) : {},
  }),
};
