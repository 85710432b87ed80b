import { concat as join } from '../../autodiff/operations/layout.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';

/** Joins its inputs along the channels. */
export interface ConcatNode extends NodeBase {
  readonly kind: 'concat';
}

/** Concatenation. */
export const concat: NodeKind<ConcatNode> = {
  fields: {},
  inputs: [1, Infinity],

  infer(_, inputs, fail) {
    const [input] = inputs;
    const outer = input.slice(0, -1);
    for (const other of inputs) {
      if (other.length !== input.length || outer.some((size, axis) => other[axis] !== size)) {
        fail(`read shapes that agree with [${input.join(', ')}] but for the channels`, `[${other.join(', ')}]`);
      }
    }
    return { output: [...outer, inputs.reduce((total, other) => total + other[other.length - 1], 0)] };
  },

  forward: (_, inputs, { tape }) => join(tape, inputs, inputs[0].shape.length - 1),

  follow(node, inputs, flow, shapes) {
    const last = inputs[0].length - 1;
    const outer = inputs[0]
      .slice(0, -1)
      .map((_, axis) => inputs.map((layout) => layout[axis]).reduce((left, right) => flow.tieAxes(left, right)));
    if (inputs.every((layout) => layout[last] === null)) return { output: [...outer, null] };
    const joined = inputs.flatMap((layout, index) => {
      const own = layout[last];
      if (own !== null) return own;
      // Entries that are no channels all stay.
      const others = flow.make(shapes.inputs[index][last], node.name);
      flow.fix(others);
      return others;
    });
    return { output: [...outer, joined] };
  },
};
