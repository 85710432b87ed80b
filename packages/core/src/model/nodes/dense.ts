import type { Shape } from '../../backend.ts';
import { add } from '../../autodiff/operations/element-wise.ts';
import { reshape } from '../../autodiff/operations/layout.ts';
import { matMul } from '../../autodiff/operations/mat-mul.ts';
import type { Value } from '../../autodiff/tape.ts';
import type { WeightChannels } from '../channel-flow.ts';
import { boolean, integer } from '../field-readers.ts';
import type { NodeBase, NodeKind, WeightSpecification } from '../node-kind.ts';
import { sizeOf } from '../../shape.ts';
import { withBias } from './_with-bias.ts';
import { passOn } from './_pass-on.ts';

/** Weights `kernel` `[inputSize, units]` and, with `useBias`, `bias` `[units]`. Reads the last axis, of size `inputSize`. */
export interface DenseNode extends NodeBase {
  readonly kind: 'dense';
  readonly units: number;
  readonly useBias: boolean;
}

/** A fully connected layer. */
export const dense: NodeKind<DenseNode> = {
  fields: { units: integer(1), useBias: boolean },

  infer({ units, useBias }, [input]) {
    const size = input[input.length - 1];
    const initial = { bound: 1 / Math.sqrt(size) };
    const specify = (shape: Shape): WeightSpecification => ({ shape, trainable: true, initial });
    return {
      output: [...input.slice(0, -1), units],
      weights: withBias(specify([size, units]), useBias ? specify([units]) : null),
    };
  },

  forward({ useBias }, [input], { tape, weight }) {
    const multiply = (rows: Value): Value => {
      const product = matMul(tape, rows, weight('kernel'));
      return useBias ? passOn(tape, product, (value) => add(tape, value, weight('bias'))) : product;
    };
    const outer = input.shape.slice(0, -1);
    if (outer.length === 1) return multiply(input);
    const rows = reshape(tape, input, [sizeOf(outer), input.shape[outer.length]]);
    const product = passOn(tape, rows, multiply);
    return passOn(tape, product, (value) => reshape(tape, value, [...outer, value.shape[1]]));
  },

  cost: (_, [input], { output }) => ({ multiplyAccumulates: sizeOf(output) * input[input.length - 1] }),

  follow(node, [input], flow) {
    const output = flow.make(node.units, node.name);
    return {
      output: [...input.slice(0, -1), output],
      weights: withBias<WeightChannels>(
        { blocks: [[input[input.length - 1], output]], makes: 1, reads: 0 },
        node.useBias ? { blocks: [[output]] } : null,
      ),
      resize: (kept) => ({ ...node, units: kept.positions(output).length }),
    };
  },
};
