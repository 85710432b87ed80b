import { sizeOf } from './constant.ts';
import { type Activation, isActivation, type TraceValue } from './graph-builder.ts';
import { multiplyMatrices, permute } from './lower-dense.ts';
import { reduceTo } from './lower-reductions.ts';
import type { Lowerings, OperatorNode } from './operator-node.ts';
import { parseEinsum } from './parse-einsum.ts';
import { reshapeActivation } from './reshape-activation.ts';

/** Einsum where it is one product of matrices, or another order of axes. */
function multiplyEinsum(node: OperatorNode): TraceValue {
  const values = node.inputs.map((_, index) => node.input(index));
  const { inputs: operands, output } = parseEinsum(
    node,
    values.map(({ shape }) => shape.length),
  );
  if (operands.some((labels) => new Set(labels).size !== labels.length)) node.refuse('it takes a diagonal');
  operands.forEach((labels, index) => {
    if (labels.length !== values[index].shape.length) node.refuse('its equation does not fit its inputs');
  });
  const known = new Set(operands.flat());
  if (operands.length > 2 || output.some((label) => !known.has(label)) || new Set(output).size !== output.length)
    return node.refuse('it is no product of two');
  // What one of them alone has and the result has not is summed first.
  const summed = operands.map((labels, index) => {
    const others = new Set([...output, ...(operands[1 - index] ?? [])]);
    const axes = labels.flatMap((label, axis) => (others.has(label) ? [] : [axis]));
    const value = values[index];
    if (axes.length === 0) return { labels, value };
    if (!isActivation(value)) return node.refuse('it sums over an axis of a constant alone');
    if (axes.includes(0) && node.builder.hasBatch && value.shape[0] === 1) node.refuse('it sums over the batch');
    return {
      labels: labels.filter((label) => others.has(label)),
      value: reduceTo(node, value, axes, 'sum', false),
    };
  });
  const [{ labels: a, value: left }, { labels: b, value: right } = { labels: [], value: undefined }] = summed;
  if (right === undefined) {
    return permute(
      left,
      output.map((label) => a.indexOf(label)),
    );
  }
  const outer = output.filter((label) => a.includes(label) && b.includes(label));
  const rows = output.filter((label) => a.includes(label) && !b.includes(label));
  const columns = output.filter((label) => b.includes(label) && !a.includes(label));
  const inner = a.filter((label) => b.includes(label) && !output.includes(label));
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
