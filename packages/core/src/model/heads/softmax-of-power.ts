import type { ModelNode } from '../model.ts';
import type { GraphIndex } from './graph-index.ts';
import type { SpeltHead } from './spelling.ts';

/**
 * A softmax that is spelt out: the largest logit is often taken off first.
 *
 * @param power The exponential whose shares are taken.
 * @param steps The nodes from the last on to it.
 */
export function softmaxOfPower(power: ModelNode, steps: readonly string[], graph: GraphIndex): SpeltHead {
  const centred = graph.nodeOf(power.inputs[0]);
  const [logits, largest] = centred?.kind === 'subtract' ? centred.inputs : [];
  const most = logits === undefined ? undefined : largestOf(largest, logits, graph);
  if (centred === undefined || most === undefined) return { head: power, steps, isSoftmax: true, isSecondFirst: false };
  return { head: centred, steps: [...steps, centred.name, ...most], isSoftmax: true, isSecondFirst: false };
}

/** The reduction to the largest of all classes, and the reshapes behind it. */
function largestOf(value: string, of: string, graph: GraphIndex): string[] | undefined {
  const { node, steps } = graph.skipReshapes(value);
  if (node?.kind !== 'reduce' || node.operation !== 'max' || node.inputs[0] !== of) return undefined;
  const { axes } = node;
  return graph.shapeOf(of).every((size, axis) => size === 1 || axes.includes(axis)) ? [...steps, node.name] : undefined;
}
