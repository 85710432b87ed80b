import type { ModelNode } from '../model.ts';
import { wideAxes } from './wide-axes.ts';

/** Whether a node leaves the classes in their order, and the largest the largest. `shape` is that of what it reads. */
export function leavesOrder(node: ModelNode, shape: readonly number[]): boolean {
  switch (node.kind) {
    case 'reshape':
    case 'dropout':
    case 'clip':
      return true;
    case 'flatten':
    case 'transpose':
      return wideAxes(shape) <= 1;
    case 'concat':
      return node.inputs.length === 1;
    case 'affine':
      return new Set(node.factor).size === 1 && node.factor[0] > 0 && new Set(node.summand).size === 1;
    case 'activation':
      return node.function === 'log' || node.function === 'exp';
    default:
      return false;
  }
}
