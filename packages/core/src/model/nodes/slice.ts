import { pad, reshape, slice as cut } from '../../autodiff/operations/layout.ts';
import { integer, list } from '../field-readers.ts';
import type { Axis } from '../channel-flow.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';
import { passOn } from './_pass-on.ts';

/** A part of each example: of each axis (without the batch) `size` entries from `begin` on, `strides` apart (default 1). */
export interface SliceNode extends NodeBase {
  readonly kind: 'slice';
  readonly begin: readonly number[];
  readonly size: readonly number[];
  readonly strides?: readonly number[];
}

/** Slice. */
export const slice: NodeKind<SliceNode> = {
  fields: {
    begin: list(integer(0), 1, 5),
    size: list(integer(1), 1, 5),
    strides: { optional: list(integer(1), 1, 5) },
  },

  infer({ begin, size, strides }, [input], fail) {
    for (const entries of [begin, size, strides ?? begin]) {
      if (entries.length !== input.length)
        fail(`name the ${input.length} axes of [${input.join(', ')}]`, `[${entries.join(', ')}]`);
    }
    input.forEach((length, axis) => {
      const end = begin[axis] + (size[axis] - 1) * (strides?.[axis] ?? 1);
      if (end >= length) fail(`end within axis ${axis} of [${input.join(', ')}]`, `entry ${end}`);
    });
    return { output: size };
  },

  forward({ begin, size, strides = size.map(() => 1) }, [input], { tape }) {
    const [batch, ...shape] = input.shape;
    // Each axis with a stride becomes rows of that length, of which the first entries are taken.
    const spans = size.map((count, axis) => Math.min(count * strides[axis], shape[axis] - begin[axis]));
    let value = cut(tape, input, [0, ...begin], [batch, ...spans]);
    for (const [axis, stride] of strides.entries()) {
      if (stride === 1) continue;
      const before = [batch, ...size.slice(0, axis)];
      const after = spans.slice(axis + 1);
      const missing = size[axis] * stride - spans[axis];
      const none = [0, 0] as const;
      const padded =
        missing === 0
          ? value
          : passOn(tape, value, (part) =>
              pad(
                tape,
                part,
                part.shape.map((_, place) => (place === axis + 1 ? [0, missing] : none)),
              ),
            );
      const rows = passOn(tape, padded, (part) => reshape(tape, part, [...before, size[axis], stride, ...after]));
      const firsts = passOn(tape, rows, (part) =>
        cut(
          tape,
          part,
          part.shape.map(() => 0),
          [...before, size[axis], 1, ...after],
        ),
      );
      value = passOn(tape, firsts, (part) => reshape(tape, part, [...before, size[axis], ...after]));
    }
    return value;
  },

  follow(node, [input], flow, { inputs: [shape] }) {
    const { name, begin, size, strides = size.map(() => 1) } = node;
    const output = input.map((axis, index): Axis => {
      const isWhole = begin[index] === 0 && size[index] === shape[index];
      if (axis === null || isWhole) return axis;
      if (strides[index] !== 1) {
        flow.fix(axis);
        return null;
      }
      const taken = axis.slice(begin[index], begin[index] + size[index]);
      flow.mark(taken, `${name}@${index}`);
      // What lies before decides where the slice begins.
      flow.mark(axis.slice(0, begin[index]), `${name}<${index}`);
      return taken;
    });
    return {
      output,
      resize: (kept) => ({
        ...node,
        begin: begin.map((start, index) => {
          const axis = output[index] === null ? null : input[index];
          return axis === null ? start : kept.positions(axis.slice(0, start)).length;
        }),
        size: size.map((count, index) => {
          const axis = output[index];
          return axis === null ? count : kept.positions(axis).length;
        }),
      }),
    };
  },
};
