import type { ModelNode } from '../model.ts';
import type { GraphIndex } from './graph-index.ts';

/** What is divided by what: by a quotient, or by the product with a reciprocal. */
export function quotientOf(
  node: ModelNode,
  graph: GraphIndex,
): { readonly numerator: ModelNode; readonly denominator: ModelNode; readonly behind: string[] } | undefined {
  const [left, right] = node.inputs.map((name) => graph.nodeOf(name));
  if (left === undefined || right === undefined) return undefined;
  if (node.kind === 'divide') return { numerator: left, denominator: right, behind: [] };
  if (node.kind !== 'multiply') return undefined;
  for (const [numerator, factor] of [
    [left, right],
    [right, left],
  ]) {
    const { node: reciprocal, steps } = graph.skipReshapes(factor.name);
    if (reciprocal?.kind !== 'power' || reciprocal.exponent !== -1) continue;
    const denominator = graph.nodeOf(reciprocal.inputs[0]);
    if (denominator !== undefined) return { numerator, denominator, behind: [...steps, reciprocal.name] };
  }
  return undefined;
}
