import { expand } from './broadcast.ts';
import { type Activation, sizesOf } from './graph-builder.ts';
import { join } from './lower-concatenation.ts';
import type { Lowerings, OperatorNode } from './operator-node.ts';
import { MOST_PARTS, readParts } from './read-parts.ts';
import { readSlices } from './read-slices.ts';
import { reshapeActivation } from './reshape-activation.ts';

/** `size` entries of an axis from `begin` on, `stride` apart. */
export function cut(
  node: OperatorNode,
  value: Activation,
  axis: number,
  { begin, size, stride = 1 }: { begin: number; size: number; stride?: number },
): Activation {
  if (size < 1) node.refuse('it makes an empty tensor');
  if (begin === 0 && size === value.shape[axis]) return value;
  const shape = value.shape.with(axis, size);
  const { order } = value;
  const fields = {
    kind: 'slice',
    begin: order.map((other) => (other === axis ? begin : 0)),
    size: sizesOf(order, shape),
    ...(stride !== 1 && { strides: order.map((other) => (other === axis ? stride : 1)) }),
  } as const;
  return { node: node.builder.add(node.name, fields, [value.node]), shape, order };
}

/** Entries of an axis by number, in runs that lie in a row. */
export function pick(node: OperatorNode, value: Activation, axis: number, indices: readonly number[]): Activation {
  const runs: { begin: number; size: number }[] = [];
  for (const given of indices) {
    const index = node.axis(given, value.shape[axis]);
    const last = runs.at(-1);
    if (last !== undefined && last.begin + last.size === index) last.size++;
    else runs.push({ begin: index, size: 1 });
  }
  if (runs.length === 0 || runs.length > MOST_PARTS) node.refuse(`it picks ${runs.length} parts`);
  return join(
    node,
    runs.map((run) => cut(node, value, axis, run)),
    axis,
  );
}

export const lowerSlices: Lowerings = {
  Slice(node) {
    let value = node.activation(0);
    for (const { axis, begin, count, step } of readSlices(node, value.shape)) {
      if (step > 0) value = cut(node, value, axis, { begin, size: count, stride: step });
      else {
        if (count > MOST_PARTS) node.refuse('it turns a long axis around');
        value = pick(
          node,
          value,
          axis,
          Array.from({ length: count }, (_, index) => begin + index * step),
        );
      }
    }
    return value;
  },

  Split(node) {
    const value = node.activation(0);
    const axis = node.axis(node.number('axis', 0), value.shape.length);
    return readParts(node, value.shape[axis]).map((part) => cut(node, value, axis, part));
  },

  Tile(node) {
    let value = node.activation(0);
    const repeats = node.constant(1).values;
    if (repeats.length !== value.shape.length) node.refuse('its repeats do not fit its rank');
    for (const [axis, count] of repeats.entries()) {
      if (count === 1) continue;
      if (axis === 0 && node.builder.hasBatch && value.shape[0] === 1) node.refuse('it repeats the batch');
      if (!(count >= 1)) node.refuse('it makes an empty tensor');
      if (value.shape[axis] === 1) {
        value = expand(node, value, value.shape.with(axis, count), true);
        continue;
      }
      if (count > MOST_PARTS) node.refuse(`it joins ${count} parts`);
      value = join(node, Array<Activation>(count).fill(value), axis);
    }
    return value;
  },

  Gather(node) {
    const value = node.activation(0);
    const indices = node.constant(1);
    const axis = node.axis(node.number('axis', 0), value.shape.length);
    const picked = pick(node, value, axis, [...indices.values]);
    const shape = [...value.shape.slice(0, axis), ...indices.shape, ...value.shape.slice(axis + 1)];
    return reshapeActivation(node, picked, shape);
  },
};
