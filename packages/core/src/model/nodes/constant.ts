import { add } from '../../autodiff/operations/element-wise.ts';
import { reshape } from '../../autodiff/operations/layout.ts';
import type { Axis } from '../channel-flow.ts';
import { boolean, exampleShape } from '../field-readers.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';
import { passOn } from './_pass-on.ts';

/** Weight `value` of the shape `shape` (without the batch), the same for each example. */
export interface ConstantNode extends NodeBase {
  readonly kind: 'constant';
  readonly shape: readonly number[];
  /** Whether optimizers train it: position embeddings, scales of layers. */
  readonly trainable: boolean;
}

/** A weight as a node. */
export const constant: NodeKind<ConstantNode> = {
  fields: { shape: exampleShape, trainable: boolean },
  inputs: [0, 0],

  infer: ({ shape, trainable }) => ({ output: shape, weights: { value: { shape, trainable, initial: 0 } } }),

  forward({ shape }, _, { tape, weight, batch }) {
    const one = reshape(tape, weight('value'), [1, ...shape]);
    const zeros = tape.own(tape.backend.fill([batch, ...shape.map(() => 1)], 0));
    const output = passOn(tape, one, (value) => add(tape, zeros, value));
    tape.release(zeros);
    return output;
  },

  follow(node, _, flow) {
    const output = node.shape.map((size, index): Axis =>
      size === 1 ? null : flow.make(size, `${node.name}#${index}`),
    );
    return {
      output,
      weights: { value: { blocks: [output] } },
      resize: (kept) => ({ ...node, shape: output.map((axis) => (axis === null ? 1 : kept.positions(axis).length)) }),
    };
  },
};
