import { quotientOf } from './quotient-of.ts';
import { softmaxOfPower } from './softmax-of-power.ts';
import type { HeadSpelling } from './spelling.ts';
import { totalOf } from './total-of.ts';

/** exp(z) / sum(exp(z)) over the classes. */
export const softmaxByShares: HeadSpelling = (node, graph) => {
  const quotient = quotientOf(node, graph);
  if (quotient === undefined) return undefined;
  const { numerator: power, denominator, behind } = quotient;
  if (power.kind !== 'activation' || power.function !== 'exp') return undefined;
  const sum = totalOf(denominator, power, graph);
  return sum === undefined ? undefined : softmaxOfPower(power, [node.name, ...behind, ...sum, power.name], graph);
};
