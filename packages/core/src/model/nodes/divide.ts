import { divide as quotient } from '../../autodiff/operations/element-wise.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';
import { broadcastingKind } from './_broadcast.ts';

/** The first input over the second, with broadcasting. */
export interface DivideNode extends NodeBase {
  readonly kind: 'divide';
}

/** Quotient. */
export const divide: NodeKind<DivideNode> = { fields: {}, ...broadcastingKind<DivideNode>(quotient, [2, 2]) };
