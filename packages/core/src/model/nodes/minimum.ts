import { minimum as smaller } from '../../autodiff/operations/maximum.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';
import { broadcastingKind } from './_broadcast.ts';

/** The smallest of its inputs, element by element, with broadcasting. */
export interface MinimumNode extends NodeBase {
  readonly kind: 'minimum';
}

/** Minimum. */
export const minimum: NodeKind<MinimumNode> = { fields: {}, ...broadcastingKind<MinimumNode>(smaller) };
