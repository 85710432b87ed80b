import { sizeOf, transposeConstant } from './constant.ts';
import { type Activation, isActivation, type TraceValue } from './graph-builder.ts';
import { multiplyMatrices } from './lower-dense.ts';
import type { Lowerings, OperatorNode } from './operator-node.ts';
import { reshapeActivation } from './reshape-activation.ts';

/** Values with their axes in another order: `order[i]` is the axis that becomes axis i. */
function permute(value: TraceValue, order: readonly number[]): TraceValue {
  if (!isActivation(value)) return transposeConstant(value, order);
  return {
    ...value,
    shape: order.map((axis) => value.shape[axis]),
    order: value.order.map((axis) => order.indexOf(axis)),
  };
}

/** Einsum where it is one product of matrices, or another order of axes. */
function multiplyEinsum(node: OperatorNode): TraceValue {
  const [before, after] = node.text('equation', '').replaceAll(' ', '').split('->');
  const operands = before.split(',').map((labels) => labels.split(''));
  if (after === undefined || /[^a-zA-Z,]/.test(before) || operands.length !== node.inputs.length)
    return node.refuse('its equation is not of letters and an arrow');
  const output = after.split('');
  if (operands.some((labels) => new Set(labels).size !== labels.length)) node.refuse('it takes a diagonal');
  operands.forEach((labels, index) => {
    if (labels.length !== node.input(index).shape.length) node.refuse('its equation does not fit its inputs');
  });
  const [a, b = []] = operands;
  const known = new Set([...a, ...b]);
  if (operands.length > 2 || output.some((label) => !known.has(label))) return node.refuse('it is no product of two');
  if (operands.length === 1) {
    if (output.length !== a.length) return node.refuse('it sums one input');
    return permute(
      node.activation(0),
      output.map((label) => a.indexOf(label)),
    );
  }
  const outer = output.filter((label) => a.includes(label) && b.includes(label));
  const rows = output.filter((label) => a.includes(label) && !b.includes(label));
  const columns = output.filter((label) => b.includes(label) && !a.includes(label));
  const inner = a.filter((label) => b.includes(label) && !output.includes(label));
  if (
    outer.length + rows.length + inner.length !== a.length ||
    outer.length + columns.length + inner.length !== b.length
  )
    return node.refuse('it sums over an axis of one input');
  const [left, right] = [node.input(0), node.input(1)];
  const sizes = new Map<string, number>();
  for (const [labels, { shape }] of [
    [a, left],
    [b, right],
  ] as const) {
    for (const [axis, label] of labels.entries()) {
      if ((sizes.get(label) ?? shape[axis]) !== shape[axis]) node.refuse(`its sizes of ${label} differ`);
      sizes.set(label, shape[axis]);
    }
  }
  const shapeOf = (labels: readonly string[]) => labels.map((label) => sizes.get(label)!);
  const asMatrices = (value: TraceValue, labels: readonly string[], first: string[], second: string[]): TraceValue => {
    const moved = permute(
      value,
      [...outer, ...first, ...second].map((label) => labels.indexOf(label)),
    );
    const shape = [...shapeOf(outer), sizeOf(shapeOf(first)), sizeOf(shapeOf(second))];
    return isActivation(moved) ? reshapeActivation(node, moved, shape) : { ...moved, shape };
  };
  const product = multiplyMatrices(node, asMatrices(left, a, rows, inner), asMatrices(right, b, inner, columns));
  const made = [...outer, ...rows, ...columns];
  const parts: Activation = reshapeActivation(node, product, shapeOf(made));
  return permute(
    parts,
    output.map((label) => made.indexOf(label)),
  );
}

export const lowerEinsum: Lowerings = { Einsum: multiplyEinsum };
