import { affine, leakyRelu, multiply, subtract } from '../../autodiff/operations/element-wise.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';
import { passOn } from './_pass-on.ts';

/** The input where it is > 0, slope x input elsewhere. Weight `slope` `[channels]`. */
export interface PreluNode extends NodeBase {
  readonly kind: 'prelu';
}

/** Leaky ReLU whose slope of each channel is trained (He et al., "Delving Deep into Rectifiers", 2015). */
export const prelu: NodeKind<PreluNode> = {
  fields: {},

  infer(_, [input]) {
    return { output: input, weights: { slope: { shape: [input[input.length - 1]], trainable: true, initial: 0.25 } } };
  },

  forward(_, [input], { tape, weight }) {
    const negative = passOn(tape, affine(tape, input, -1), (value) => leakyRelu(tape, value, 0));
    const scaled = passOn(tape, negative, (value) => multiply(tape, value, weight('slope')));
    const positive = leakyRelu(tape, input, 0);
    const output = subtract(tape, positive, scaled);
    for (const value of [scaled, positive]) tape.release(value);
    return output;
  },

  follow: (_, [input]) => ({ output: input, weights: { slope: { blocks: [[input[input.length - 1]]] } } }),
};
