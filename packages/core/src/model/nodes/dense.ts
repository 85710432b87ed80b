import type { Shape } from '../../backend.ts';
import { add } from '../../autodiff/operations/element-wise.ts';
import { matMul } from '../../autodiff/operations/mat-mul.ts';
import type { WeightChannels } from '../channel-flow.ts';
import { boolean, integer } from '../field-readers.ts';
import type { NodeBase, NodeKind, WeightSpecification } from '../node-kind.ts';
import { sizeOf } from './_size-of.ts';
import { withBias } from './_with-bias.ts';
import { passOn } from './_pass-on.ts';

/** Weights `kernel` `[inputSize, units]` and, with `useBias`, `bias` `[units]`. Reads `[batch, inputSize]`. */
export interface DenseNode extends NodeBase {
  readonly kind: 'dense';
  readonly units: number;
  readonly useBias: boolean;
}

/** A fully connected layer. */
export const dense: NodeKind<DenseNode> = {
  fields: { units: integer(1), useBias: boolean },

  infer({ units, useBias }, [input], fail) {
    if (input.length !== 1) fail('read one row an example (flatten first)', `[${input.join(', ')}]`);
    const initial = { bound: 1 / Math.sqrt(input[0]) };
    const specify = (shape: Shape): WeightSpecification => ({ shape, trainable: true, initial });
    return {
      output: [units],
      weights: withBias(specify([input[0], units]), useBias ? specify([units]) : null),
    };
  },

  forward({ useBias }, [input], { tape, weight }) {
    const product = matMul(tape, input, weight('kernel'));
    return useBias ? passOn(tape, product, (value) => add(tape, value, weight('bias'))) : product;
  },

  cost: (_node, _inputs, { weights }) => ({ multiplyAccumulates: sizeOf(weights.kernel.shape) }),

  follow(node, [input], flow) {
    const output = flow.make(node.units, node.name);
    return {
      output: [output],
      weights: withBias<WeightChannels>(
        { blocks: [[input[0], output]], makes: 1, reads: 0 },
        node.useBias ? { blocks: [[output]] } : null,
      ),
      resize: (kept) => ({ ...node, units: kept.positions(output).length }),
    };
  },
};
