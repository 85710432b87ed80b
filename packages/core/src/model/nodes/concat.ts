import { concat as join } from '../../autodiff/operations/layout.ts';
import type { Axis } from '../channel-flow.ts';
import { integer } from '../field-readers.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';

/** Joins its inputs along the channels, or along another axis (without the batch). */
export interface ConcatNode extends NodeBase {
  readonly kind: 'concat';
  /** Default: the last one. */
  readonly axis?: number;
}

/** Concatenation. */
export const concat: NodeKind<ConcatNode> = {
  fields: { axis: { optional: integer(0, 4) } },
  inputs: [1, Infinity],

  infer(node, inputs, fail) {
    const [input] = inputs;
    const axis = node.axis ?? input.length - 1;
    if (axis >= input.length) fail(`have an axis of [${input.join(', ')}]`, String(axis));
    for (const other of inputs) {
      if (other.length !== input.length || input.some((size, index) => index !== axis && other[index] !== size)) {
        const place = axis === input.length - 1 ? 'the channels' : `axis ${axis}`;
        fail(`read shapes that agree with [${input.join(', ')}] but for ${place}`, `[${other.join(', ')}]`);
      }
    }
    return {
      output: input.with(
        axis,
        inputs.reduce((total, other) => total + other[axis], 0),
      ),
    };
  },

  forward: ({ axis }, inputs, { tape }) =>
    join(tape, inputs, axis === undefined ? inputs[0].shape.length - 1 : axis + 1),

  follow(node, inputs, flow, shapes) {
    const [input] = inputs;
    const along = node.axis ?? input.length - 1;
    const output = input.map((_, index): Axis => {
      const axes = inputs.map((layout) => layout[index]);
      if (index !== along) return axes.reduce((left, right) => flow.tieAxes(left, right));
      if (axes.every((axis) => axis === null)) return null;
      if (index !== input.length - 1 && axes.includes(null)) {
        // Rows beside rows that stay.
        axes.forEach((axis) => flow.fix(axis));
        return null;
      }
      return axes.flatMap((axis, part) => {
        if (axis !== null) return axis;
        // Entries that are no channels all stay.
        const others = flow.make(shapes.inputs[part][index], node.name);
        flow.fix(others);
        return others;
      });
    });
    return { output };
  },
};
