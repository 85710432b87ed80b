import { DaflError } from '../../errors.ts';
import { integer } from '../field-readers.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';

/**
 * A classifier of which only the answers are known: another program computes them, and no gradient comes back. Reads the
 * graph's input. @see Model.answer
 */
export interface OpaqueNode extends NodeBase {
  readonly kind: 'opaque';
  /** Length of the answer to one example. */
  readonly classes: number;
}

/** Gives what the other program said. */
export const opaque: NodeKind<OpaqueNode> = {
  fields: { classes: integer(2) },

  infer: ({ classes }) => ({ output: [classes] }),

  forward({ name }, _, { answers }) {
    if (answers !== undefined) return answers;
    throw new DaflError(
      'USAGE',
      `Cannot look into '${name}' as a teacher that only answers has neither gradients nor features: take a method that needs answers alone, as procedural does`,
    );
  },

  follow: () => ({ output: [null] }),
};
