import { multiply as product } from '../../autodiff/operations/element-wise.ts';
import type { NodeBase, NodeKind } from '../node-kind.ts';
import { broadcastingKind } from './_broadcast.ts';

/** Element-wise product of its inputs, with broadcasting (squeeze-and-excitation gates). */
export interface MultiplyNode extends NodeBase {
  readonly kind: 'multiply';
}

/** Product. */
export const multiply: NodeKind<MultiplyNode> = { fields: {}, ...broadcastingKind<MultiplyNode>(product) };
