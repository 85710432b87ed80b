import { add, affine as scale, multiply } from '../../autodiff/operations/element-wise.ts';
import { list, number } from '../field-readers.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';

/** input x factor + summand, with constants: one for all channels, or one for each. */
export interface AffineNode extends NodeBase {
  readonly kind: 'affine';
  readonly factor: readonly number[];
  readonly summand: readonly number[];
}

/** A linear function of each channel, which training leaves alone. */
export const affine: NodeKind<AffineNode> = {
  fields: { factor: list(number(), 1), summand: list(number(), 1) },

  infer({ factor, summand }, [input], fail) {
    const width = input[input.length - 1];
    for (const constants of [factor, summand]) {
      if (constants.length !== 1 && constants.length !== width)
        fail(`have 1 or ${width} constants`, `[${constants.join(', ')}]`);
    }
    return { output: input };
  },

  forward({ factor, summand }, [input], { tape }) {
    if (factor.length === 1 && summand.length === 1) return scale(tape, input, factor[0], summand[0]);
    const constant = (values: readonly number[]) =>
      tape.own(tape.backend.tensor(Float32Array.from(values), [values.length]));
    const [factors, summands] = [constant(factor), constant(summand)];
    const scaled = multiply(tape, input, factors);
    const output = add(tape, scaled, summands);
    for (const value of [factors, summands, scaled]) tape.release(value);
    return output;
  },

  follow(node, [input]) {
    const channels = input[input.length - 1];
    if (channels === null || (node.factor.length === 1 && node.summand.length === 1)) return { output: input };
    return {
      output: input,
      resize: (kept) => {
        const pick = (constants: readonly number[]) =>
          constants.length === 1 ? constants : kept.positions(channels).map((position) => constants[position]);
        return { ...node, factor: pick(node.factor), summand: pick(node.summand) };
      },
    };
  },
};
