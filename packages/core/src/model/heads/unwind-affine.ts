import type { ModelNode } from '../model.ts';
import type { GraphIndex } from './graph-index.ts';

/** One factor and summand for all values, in one step or several, and what they are applied to. */
export function unwindAffine(
  node: ModelNode | undefined,
  graph: GraphIndex,
): {
  readonly base: ModelNode | undefined;
  readonly factor: number;
  readonly summand: number;
  readonly steps: string[];
} {
  let [factor, summand] = [1, 0];
  const steps: string[] = [];
  let base = node;
  while (base?.kind === 'affine' && base.factor.length === 1 && base.summand.length === 1) {
    [factor, summand] = [factor * base.factor[0], summand + factor * base.summand[0]];
    steps.push(base.name);
    base = graph.nodeOf(base.inputs[0]);
  }
  return { base, factor, summand, steps };
}
