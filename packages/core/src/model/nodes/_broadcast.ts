import type { Shape } from '../../backend.ts';
import { reshape } from '../../autodiff/operations/layout.ts';
import type { Tape, Value } from '../../autodiff/tape.ts';
import type { Axis, ChannelFlow, Layout } from '../channel-flow.ts';
import type { Fail, NodeBase, NodeKind } from '../node-kind.ts';

/** The kind of a node that combines its inputs element by element, from the left, with broadcasting. */
export function broadcastingKind<Node extends NodeBase>(
  combine: (tape: Tape, left: Value, right: Value) => Value,
  inputs: readonly [least: number, most: number] = [1, Infinity],
): Pick<NodeKind<Node>, 'inputs' | 'infer' | 'forward' | 'follow'> {
  return {
    inputs,
    infer: (_, shapes, fail) => ({ output: broadcastShapes(shapes, fail) }),
    forward(_, values, { tape }) {
      const aligned = alignRanks(tape, values);
      const [first, ...rest] = aligned;
      // One input alone: a result of its own, as its argument is released.
      if (rest.length === 0) return reshape(tape, first, first.shape);
      const result = rest.reduce((total, next, index) => {
        const combined = combine(tape, total, next);
        if (index > 0) tape.release(total);
        return combined;
      }, first);
      for (const [index, value] of aligned.entries()) if (value !== values[index]) tape.release(value);
      return result;
    },
    follow: (_, layouts, flow, shapes) => ({ output: tieBroadcast(layouts, shapes.inputs, flow) }),
  };
}

/** The shape that shapes broadcast to (right-aligned; axes of size 1 repeat). */
export function broadcastShapes(shapes: readonly Shape[], fail: Fail): Shape {
  return shapes.reduce((left, right) => {
    const rank = Math.max(left.length, right.length);
    return Array.from({ length: rank }, (_, axis) => {
      const [a, b] = [left, right].map((shape) => shape[shape.length - rank + axis] ?? 1);
      if (a !== b && a !== 1 && b !== 1)
        fail('read shapes that broadcast', `[${left.join(', ')}] and [${right.join(', ')}]`);
      return Math.max(a, b);
    });
  });
}

/** Inputs of broadcasting nodes are aligned from the batch on: a `[batch, channels]` gate meets `[batch, h, w, channels]`. */
export function alignRanks(tape: Tape, inputs: readonly Value[]): Value[] {
  const rank = Math.max(...inputs.map((input) => input.shape.length));
  return inputs.map((input) => {
    if (input.shape.length === rank) return input;
    const [batch, ...rest] = input.shape;
    return reshape(tape, input, [batch, ...Array<number>(rank - input.shape.length).fill(1), ...rest]);
  });
}

/** Ties the channels that meet. An axis of size 1 meets all of another's and stays as it is. */
export function tieBroadcast(layouts: readonly Layout[], shapes: readonly Shape[], flow: ChannelFlow): Layout {
  const rank = Math.max(...layouts.map((layout) => layout.length));
  return Array.from({ length: rank }, (_, index): Axis => {
    const back = rank - index;
    const along = layouts.flatMap((layout, input) => {
      const axis = layout.length - back;
      return axis < 0 ? [] : [{ axis: layout[axis], size: shapes[input][axis] }];
    });
    const width = Math.max(...along.map(({ size }) => size));
    return along
      .filter(({ size }) => size === width)
      .map(({ axis }) => axis)
      .reduce((left, right) => flow.tieAxes(left, right));
  });
}
