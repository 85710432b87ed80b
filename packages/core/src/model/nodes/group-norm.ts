import { reshape } from '../../autodiff/operations/layout.ts';
import { boolean, integer, number } from '../field-readers.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';
import { affineChannels, affineWeights, normalize, scaleAndShift } from './_normalize.ts';
import { passOn } from './_pass-on.ts';
import { requireImage } from './_window.ts';

/** Weights `scale` and `offset` (with `affine`), each `[channels]`. */
export interface GroupNormNode extends NodeBase {
  readonly kind: 'groupNorm';
  readonly groups: number;
  readonly epsilon: number;
  readonly affine: boolean;
}

/** Normalises groups of adjacent channels of each example (Wu and He, "Group Normalization", 2018). */
export const groupNorm: NodeKind<GroupNormNode> = {
  fields: { groups: integer(1), epsilon: number('a number > 0', (value) => value > 0), affine: boolean },

  infer(node, [input], fail) {
    requireImage(input, fail);
    if (input[2] % node.groups !== 0) fail(`divide its channels into ${node.groups} groups`, String(input[2]));
    return { output: input, weights: node.affine ? affineWeights(input[2]) : {} };
  },

  forward(node, [input], context) {
    const { tape } = context;
    const [batch, height, width, channels] = input.shape;
    const grouped = reshape(tape, input, [batch, height * width, node.groups, channels / node.groups]);
    const normal = passOn(tape, grouped, (value) => normalize(tape, value, [1, 3], node.epsilon));
    return scaleAndShift(
      passOn(tape, normal, (value) => reshape(tape, value, input.shape)),
      node.affine,
      context,
    );
  },

  follow(node, [input], flow) {
    const channels = input[2];
    const blocks = Array.from({ length: node.groups }, (_, group) => {
      const size = (channels?.length ?? 0) / node.groups;
      return channels?.slice(group * size, (group + 1) * size) ?? [];
    });
    blocks.forEach((block, group) => flow.mark(block, `${node.name}:${group}`));
    return {
      output: input,
      weights: node.affine ? affineChannels(channels) : {},
      resize: (kept, fail) => {
        const widths = blocks.map((block) => kept.positions(block).length);
        if (widths.some((width) => width !== widths[0])) fail('have groups of equal width', `[${widths.join(', ')}]`);
        return node;
      },
    };
  },
};
