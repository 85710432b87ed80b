import type { ModelNode } from '../model.ts';
import type { GraphIndex } from './graph-index.ts';
import { headOf } from './head-of.ts';
import { quotientOf } from './quotient-of.ts';
import { totalOf } from './total-of.ts';
import { wideAxes } from './wide-axes.ts';

/** The sum that the values of a node have for every image, all of them >= 0; undefined where there is none. */
export function sumOf(name: string, graph: GraphIndex): number | undefined {
  // Sums of sums may share what they are made of many times over.
  const known = new Map<string, number | undefined>();
  const find = (of: string): number | undefined => {
    if (!known.has(of)) {
      known.set(of, undefined);
      known.set(of, sum(graph.nodeOf(of)));
    }
    return known.get(of);
  };
  const sum = (node: ModelNode | undefined): number | undefined => {
    if (node === undefined) return undefined;
    if (headOf(node) === 'Softmax') {
      const shape = graph.shapeOf(node.inputs[0]);
      return wideAxes(shape) === 1 && (node.kind !== 'softmax' || shape[node.axis] > 1) ? 1 : undefined;
    }
    switch (node.kind) {
      case 'reshape':
      case 'dropout':
        return find(node.inputs[0]);
      case 'flatten':
      case 'transpose':
        return wideAxes(graph.shapeOf(node.inputs[0])) <= 1 ? find(node.inputs[0]) : undefined;
      case 'affine': {
        const { factor, summand } = node;
        const before = find(node.inputs[0]);
        const isScale = new Set(factor).size === 1 && factor[0] > 0 && summand.every((value) => value === 0);
        return before !== undefined && isScale ? before * factor[0] : undefined;
      }
      case 'add': {
        const sums = node.inputs.map(find);
        return sums.reduce((total, next) => (total === undefined || next === undefined ? undefined : total + next));
      }
      default: {
        const { numerator, denominator } = quotientOf(node, graph) ?? {};
        const isShare = numerator !== undefined && isNeverNegative(numerator) && totalOf(denominator, numerator, graph);
        return isShare ? 1 : undefined;
      }
    }
  };
  return find(name);
}

/** Activations that give no negative values. */
const positive: ReadonlySet<string> = new Set([
  'exp',
  'relu',
  'relu6',
  'sigmoid',
  'hardSigmoid',
  'softplus',
  'softmax',
  'abs',
]);

const isNeverNegative = (node: ModelNode): boolean => node.kind === 'activation' && positive.has(node.function);
