import type { ModelNode } from '../model.ts';
import type { GraphIndex } from './graph-index.ts';

/** What keeps a quotient finite may be added to a sum. */
const LARGEST_EPSILON = 1e-3;

/** The nodes that make a sum over all values of `of`, which is never negative, from the last on; undefined where there is none. */
export function totalOf(total: ModelNode | undefined, of: ModelNode, graph: GraphIndex): string[] | undefined {
  const behind: string[] = [];
  let current = total;
  while (current?.kind === 'reshape' || isEpsilon(current)) {
    behind.push(current!.name);
    current = graph.nodeOf(current!.inputs[0]);
  }
  if (current?.kind !== 'reduce' || current.operation !== 'sum') return undefined;
  const { axes } = current;
  const steps = [...behind, current.name];
  let summed = current.inputs[0];
  const magnitude = graph.nodeOf(summed);
  if (summed !== of.name && magnitude?.kind === 'activation' && magnitude.function === 'abs') {
    steps.push(summed);
    [summed] = magnitude.inputs;
  }
  return summed === of.name && graph.shapeOf(of.name).every((size, axis) => size === 1 || axes.includes(axis))
    ? steps
    : undefined;
}

const isEpsilon = (node: ModelNode | undefined): boolean =>
  node?.kind === 'affine' &&
  node.factor.every((value) => value === 1) &&
  node.summand.every((value) => value >= 0 && value <= LARGEST_EPSILON);
