import { add as sum } from '../../autodiff/operations/element-wise.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';
import { broadcastingKind } from './_broadcast.ts';

/** Element-wise sum of its inputs, with broadcasting. */
export interface AddNode extends NodeBase {
  readonly kind: 'add';
}

/** Sum. */
export const add: NodeKind<AddNode> = { fields: {}, ...broadcastingKind<AddNode>(sum) };
