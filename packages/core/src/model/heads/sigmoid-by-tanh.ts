import type { SigmoidSpelling } from './spelling.ts';
import { unwindAffine } from './unwind-affine.ts';

/** (1 + tanh(z / 2)) / 2. */
export const sigmoidByTanh: SigmoidSpelling = (node, graph) => {
  const { base, factor, summand, steps } = unwindAffine(node, graph);
  if (base?.kind !== 'activation' || base.function !== 'tanh' || factor !== 0.5 || summand !== 0.5) return undefined;
  return { source: base.inputs[0], factor: 2, steps: [...steps, base.name] };
};
