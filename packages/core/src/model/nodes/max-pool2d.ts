import type { Padding2d, Size2d } from '../../backend.ts';
import { maxPool2d as pool } from '../../autodiff/operations/pooling.ts';
import { padding2d, size2d } from '../field-readers.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';
import { slideAxes } from './_slide-axes.ts';
import { sizeOf } from '../../shape.ts';
import { paddedSize, requireImage, requireWindowsInside, slide } from './_window.ts';

/** Largest element of each window. */
export interface MaxPoolNode extends NodeBase {
  readonly kind: 'maxPool2d';
  readonly windowSize: Size2d;
  readonly strides: Size2d;
  readonly padding: Padding2d;
}

/** Max pooling. */
export const maxPool2d: NodeKind<MaxPoolNode> = {
  fields: { windowSize: size2d, strides: size2d, padding: padding2d },

  infer({ windowSize, strides, padding }, [input], fail) {
    requireImage(input, fail);
    requireWindowsInside(windowSize, padding, fail);
    return { output: [...slide(input, windowSize, strides, padding), input[2]] };
  },

  forward: (node, [input], { tape }) => pool(tape, input, node),

  cost: ({ windowSize, padding }, [input], { output }) => ({
    operations: sizeOf(output) * sizeOf(windowSize),
    workspace: paddedSize(input, padding),
  }),

  follow: (node, [input], flow, shapes) => ({
    output: [...slideAxes(input, node.strides, flow, shapes), input[2]],
  }),
};
