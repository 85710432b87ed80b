import type { SigmoidSpelling } from './spelling.ts';
import { unwindAffine } from './unwind-affine.ts';

/** 1 / (1 + exp(-z)). */
export const sigmoidByReciprocal: SigmoidSpelling = (node, graph) => {
  const { base, factor, summand, steps } = unwindAffine(node, graph);
  if (base?.kind !== 'power' || base.exponent !== -1 || factor !== 1 || summand !== 0) return undefined;
  const one = unwindAffine(graph.nodeOf(base.inputs[0]), graph);
  const power = one.base;
  if (power?.kind !== 'activation' || power.function !== 'exp' || one.factor !== 1 || one.summand !== 1)
    return undefined;
  return { source: power.inputs[0], factor: -1, steps: [...steps, base.name, ...one.steps, power.name] };
};
