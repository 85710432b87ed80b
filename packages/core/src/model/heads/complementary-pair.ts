import { headOf, isSigmoid } from './head-of.ts';
import type { HeadSpelling } from './spelling.ts';
import { unwindAffine } from './unwind-affine.ts';

/** 1 - p and p of one sigmoid unit, in either order. */
export const complementaryPair: HeadSpelling = (node, graph) => {
  if (node.kind !== 'concat' || node.inputs.length !== 2) return undefined;
  const [first, second] = node.inputs.map((name) => graph.nodeOf(name));
  for (const [probability, rest] of [
    [first, second],
    [second, first],
  ]) {
    if (probability === undefined || rest === undefined) continue;
    const { base, factor, summand, steps } = unwindAffine(rest, graph);
    const head = headOf(probability);
    const isRest = base === probability && factor === -1 && summand === 1;
    const isUnit = graph.shapeOf(probability.name).every((size) => size === 1);
    if (isRest && isUnit && head !== null && isSigmoid(head))
      return {
        head: probability,
        steps: [node.name, ...steps],
        isSoftmax: false,
        isSecondFirst: probability === first,
      };
  }
  return undefined;
};
