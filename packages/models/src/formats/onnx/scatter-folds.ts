import { type Constant, sizeOf, stridesOf } from './constant.ts';
import type { OperatorNode } from './operator-node.ts';

/** Operators that place or repeat parts of a constant: masks of attention windows are made by them. */
export const scatterFolds: Readonly<Record<string, (node: OperatorNode) => Constant>> = {
  ScatterND(node) {
    const [data, indices, updates] = [0, 1, 2].map((index) => node.constant(index));
    if (node.text('reduction', 'none') !== 'none') node.refuse('it combines what it scatters');
    const depth = indices.shape.at(-1) ?? node.refuse('its indices are one number');
    if (depth > data.shape.length) node.refuse('its indices are longer than its rank');
    const inner = sizeOf(data.shape.slice(depth));
    const rows = sizeOf(indices.shape.slice(0, -1));
    if (updates.values.length !== rows * inner) node.refuse('its updates do not fit its indices');
    const strides = stridesOf(data.shape);
    const values = data.values.slice();
    for (let row = 0; row < rows; row++) {
      let start = 0;
      for (let axis = 0; axis < depth; axis++)
        start += node.axis(indices.values[row * depth + axis], data.shape[axis]) * strides[axis];
      values.set(updates.values.subarray(row * inner, (row + 1) * inner), start);
    }
    return { ...data, values };
  },

  GatherND(node) {
    const [data, indices] = [node.constant(0), node.constant(1)];
    const batch = node.number('batch_dims', 0);
    const depth = indices.shape.at(-1) ?? node.refuse('its indices are one number');
    if (batch !== 0 || depth > data.shape.length) node.refuse('its indices do not fit its rank');
    const inner = sizeOf(data.shape.slice(depth));
    const shape = [...indices.shape.slice(0, -1), ...data.shape.slice(depth)];
    const strides = stridesOf(data.shape);
    const values = new (data.values.constructor as Float64ArrayConstructor)(node.sizeToMake(shape));
    for (let row = 0; row < sizeOf(indices.shape.slice(0, -1)); row++) {
      let start = 0;
      for (let axis = 0; axis < depth; axis++)
        start += node.axis(indices.values[row * depth + axis], data.shape[axis]) * strides[axis];
      values.set(data.values.subarray(start, start + inner), row * inner);
    }
    return { ...data, shape, values };
  },

  Tile(node) {
    const [input, repeats] = [node.constant(0), node.constant(1)];
    if (repeats.values.length !== input.shape.length) node.refuse('its repeats do not fit its rank');
    const shape = input.shape.map((size, axis) => size * repeats.values[axis]);
    const strides = stridesOf(input.shape);
    const made = stridesOf(shape);
    const values = new (input.values.constructor as Float64ArrayConstructor)(node.sizeToMake(shape));
    for (let index = 0; index < values.length; index++) {
      let source = 0;
      for (const [axis, size] of input.shape.entries())
        source += (Math.floor(index / made[axis]) % size) * strides[axis];
      values[index] = input.values[source];
    }
    return { ...input, shape, values };
  },
};
