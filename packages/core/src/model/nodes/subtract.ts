import { subtract as difference } from '../../autodiff/operations/element-wise.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';
import { broadcastingKind } from './_broadcast.ts';

/** The first input less the second, with broadcasting. */
export interface SubtractNode extends NodeBase {
  readonly kind: 'subtract';
}

/** Difference. */
export const subtract: NodeKind<SubtractNode> = { fields: {}, ...broadcastingKind<SubtractNode>(difference, [2, 2]) };
