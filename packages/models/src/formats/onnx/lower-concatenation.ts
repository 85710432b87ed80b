import { type Activation, isStackable } from './graph-builder.ts';
import type { Lowerings, OperatorNode } from './operator-node.ts';

/** Values side by side along an axis. */
export function join(node: OperatorNode, values: readonly Activation[], axis: number): Activation {
  const [first] = values;
  if (values.length === 1) return first;
  if (values.some(({ shape }) => shape.length !== first.shape.length)) node.refuse('its inputs differ in rank');
  const shape = first.shape.map((size, other) =>
    other === axis ? values.reduce((total, value) => total + value.shape[axis], 0) : size,
  );
  // The order of the largest part; channels stay last.
  const lead = values.reduce((most, value) => (value.order.length > most.order.length ? value : most));
  const order = lead.order.includes(axis) ? lead.order : [axis, ...lead.order];
  const inputs = values.map((value) => node.builder.arrange(node.name, value, order).node);
  const place = order.indexOf(axis);
  const fields = { kind: 'concat', ...(place !== order.length - 1 && { axis: place }) } as const;
  return { node: node.builder.add(node.name, fields, inputs), shape, order };
}

export const lowerConcatenation: Lowerings = {
  Concat(node) {
    const values = node.inputs.map((_, index) => node.operand(index));
    const axis = node.axis(node.number('axis', 1), values[0].shape.length);
    if (axis === 0 && node.builder.hasBatch && node.inputs.length > 1) {
      // After a transposition the first axis need not be the batch, but then it has its own size.
      if (values.every(({ shape }) => shape[0] === 1) && !values.every(isStackable))
        node.refuse('it joins along the batch');
    }
    return join(node, values, axis);
  },
};
