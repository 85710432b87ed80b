import type { ModelNode } from '../model.ts';
import { softmaxOfPower } from './softmax-of-power.ts';
import type { HeadSpelling } from './spelling.ts';
import { totalOf } from './total-of.ts';

/** exp(z - log(sum(exp(z)))) over the classes. */
export const softmaxByDifference: HeadSpelling = (node, graph) => {
  const difference = isExponential(node) ? graph.nodeOf(node.inputs[0]) : undefined;
  if (difference?.kind !== 'subtract') return undefined;
  const [logits, subtracted] = difference.inputs;
  const { node: logarithm, steps } = graph.skipReshapes(subtracted);
  if (logarithm?.kind !== 'activation' || logarithm.function !== 'log') return undefined;
  const total = graph.nodeOf(logarithm.inputs[0]);
  for (const power of graph.nodes) {
    if (!isExponential(power) || power.inputs[0] !== logits) continue;
    const sum = totalOf(total, power, graph);
    if (sum === undefined) continue;
    const all = [node.name, difference.name, ...steps, logarithm.name, ...sum, power.name];
    return softmaxOfPower(power, all, graph);
  }
  return undefined;
};

const isExponential = (of: ModelNode): boolean => of.kind === 'activation' && of.function === 'exp';
