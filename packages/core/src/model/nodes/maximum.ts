import { maximum as larger } from '../../autodiff/operations/maximum.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';
import { broadcastingKind } from './_broadcast.ts';

/** The largest of its inputs, element by element, with broadcasting. */
export interface MaximumNode extends NodeBase {
  readonly kind: 'maximum';
}

/** Maximum. */
export const maximum: NodeKind<MaximumNode> = { fields: {}, ...broadcastingKind<MaximumNode>(larger) };
