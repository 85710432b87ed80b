import { transpose as permute } from '../../autodiff/operations/layout.ts';
import { integer, list } from '../field-readers.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';

/** Axis i of each example becomes what axis `permutation[i]` was; the batch is not counted. */
export interface TransposeNode extends NodeBase {
  readonly kind: 'transpose';
  readonly permutation: readonly number[];
}

/** Another order of axes. */
export const transpose: NodeKind<TransposeNode> = {
  fields: { permutation: list(integer(0, 4), 1, 5) },

  infer({ permutation }, [input], fail) {
    if (
      permutation.length !== input.length ||
      new Set(permutation).size !== input.length ||
      Math.max(...permutation) >= input.length
    )
      fail(`order the ${input.length} axes of [${input.join(', ')}]`, `[${permutation.join(', ')}]`);
    return { output: permutation.map((axis) => input[axis]) };
  },

  forward: ({ permutation }, [input], { tape }) => permute(tape, input, [0, ...permutation.map((axis) => axis + 1)]),

  follow: ({ permutation }, [input]) => ({ output: permutation.map((axis) => input[axis]) }),
};
