import { affine } from '../../autodiff/operations/element-wise.ts';
import { largest } from '../../autodiff/operations/largest.ts';
import { reshape } from '../../autodiff/operations/layout.ts';
import { mean, sum } from '../../autodiff/operations/reduction.ts';
import type { Tape, Value } from '../../autodiff/tape.ts';
import { boolean, integer, list, oneOf } from '../field-readers.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';
import { passOn } from './_pass-on.ts';

/** Mean, sum, largest or smallest over axes (without the batch), which go, or stay with size 1. */
export interface ReduceNode extends NodeBase {
  readonly kind: 'reduce';
  readonly operation: 'mean' | 'sum' | 'max' | 'min';
  /** Ascending. */
  readonly axes: readonly number[];
  readonly keepDimensions: boolean;
}

const operations: Readonly<
  Record<ReduceNode['operation'], (tape: Tape, input: Value, axes: readonly number[]) => Value>
> = {
  mean,
  sum,
  max: largest,
  min: (tape, input, axes) => {
    const most = passOn(tape, affine(tape, input, -1), (value) => largest(tape, value, axes));
    return passOn(tape, most, (value) => affine(tape, value, -1));
  },
};

/** Reduction. */
export const reduce: NodeKind<ReduceNode> = {
  fields: {
    operation: oneOf('mean', 'sum', 'max', 'min'),
    axes: list(integer(0, 4), 1, 5),
    keepDimensions: boolean,
  },

  infer({ axes, keepDimensions }, [input], fail) {
    if (axes.some((axis, index) => axis >= input.length || (index > 0 && axis <= axes[index - 1])))
      fail(`have ascending axes of [${input.join(', ')}]`, `[${axes.join(', ')}]`);
    const output = input.flatMap((size, axis) => (!axes.includes(axis) ? [size] : keepDimensions ? [1] : []));
    // Without any axis left, each example has one number.
    return { output: output.length === 0 ? [1] : output };
  },

  forward({ operation, axes, keepDimensions }, [input], { tape }) {
    const reduced = operations[operation](
      tape,
      input,
      axes.map((axis) => axis + 1),
    );
    const rest = input.shape.flatMap((size, axis) => (!axes.includes(axis - 1) ? [size] : keepDimensions ? [1] : []));
    return passOn(tape, reduced, (value) => reshape(tape, value, rest.length === 1 ? [...rest, 1] : rest));
  },

  follow({ axes, keepDimensions }, [input]) {
    const output = input.flatMap((axis, index) => (!axes.includes(index) ? [axis] : keepDimensions ? [null] : []));
    return { output: output.length === 0 ? [null] : output };
  },
};
