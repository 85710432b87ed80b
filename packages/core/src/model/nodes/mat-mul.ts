import { batchMatMul } from '../../autodiff/operations/batch-mat-mul.ts';
import { reshape } from '../../autodiff/operations/layout.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';
import { passOn } from './_pass-on.ts';
import { sizeOf } from '../../shape.ts';

/** Products of matrices: `[..., rows, inner]` and `[..., inner, columns]`, with the same axes before. */
export interface MatMulNode extends NodeBase {
  readonly kind: 'matMul';
}

/** Batched matrix product of two results, as attention has it. */
export const matMul: NodeKind<MatMulNode> = {
  fields: {},
  inputs: [2, 2],

  infer(_, [left, right], fail) {
    const rank = left.length;
    const fits =
      rank >= 2 &&
      right.length === rank &&
      right[rank - 2] === left[rank - 1] &&
      left.slice(0, -2).every((size, axis) => right[axis] === size);
    if (!fits)
      fail('read [..., rows, inner] and [..., inner, columns]', `[${left.join(', ')}] and [${right.join(', ')}]`);
    return { output: [...left.slice(0, -1), right[rank - 1]] };
  },

  forward(_, [left, right], { tape }) {
    const outer = left.shape.slice(0, -2);
    const stack = (shape: readonly number[]) => [sizeOf(outer), ...shape.slice(-2)];
    const [a, b] = [reshape(tape, left, stack(left.shape)), reshape(tape, right, stack(right.shape))];
    const product = batchMatMul(tape, a, b);
    for (const value of [a, b]) tape.release(value);
    const rows = left.shape[left.shape.length - 2];
    const columns = right.shape[right.shape.length - 1];
    return passOn(tape, product, (value) => reshape(tape, value, [...outer, rows, columns]));
  },

  cost: (_, [left], { output }) => ({ multiplyAccumulates: sizeOf(output) * left[left.length - 1] }),

  follow(_, [left, right], flow) {
    const rank = left.length;
    flow.tieAxes(left[rank - 1], right[rank - 2]);
    const outer = left.slice(0, -2).map((axis, index) => flow.tieAxes(axis, right[index]));
    return { output: [...outer, left[rank - 2], right[rank - 1]] };
  },
};
