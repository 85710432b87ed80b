import { reshape as shapeAs } from '../../autodiff/operations/layout.ts';
import { exampleShape } from '../field-readers.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';
import { reshapeChannels } from './_reshape-channels.ts';
import { sizeOf } from '../../shape.ts';

/** Gives each example the shape `shape` (without the batch). */
export interface ReshapeNode extends NodeBase {
  readonly kind: 'reshape';
  readonly shape: readonly number[];
}

/** Another shape of the same elements. */
export const reshape: NodeKind<ReshapeNode> = {
  fields: { shape: exampleShape },

  infer({ shape }, [input], fail) {
    const size = sizeOf(input);
    if (sizeOf(shape) !== size) fail(`hold the ${size} elements of [${input.join(', ')}]`, `[${shape.join(', ')}]`);
    return { output: shape };
  },

  forward: ({ shape }, [input], { tape }) => shapeAs(tape, input, [input.shape[0], ...shape]),

  follow(node, [input], flow, shapes) {
    const output = reshapeChannels(input, shapes.inputs[0], node.shape, flow);
    return {
      output,
      resize: (kept) => ({
        ...node,
        shape: node.shape.map((size, axis) => {
          const channels = output[axis];
          return channels === null ? size : kept.positions(channels).length;
        }),
      }),
    };
  },
};
