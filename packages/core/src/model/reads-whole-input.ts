import type { Shape } from '../backend.ts';
import type { Graph, ModelNode } from './model.ts';
import type { NodeShapes } from './node-kind.ts';

/**
 * Whether what a node is given is what its graph says that it reads. Where an upsampling is carried out as part of a
 * convolution, it is not.
 *
 * @param given Of its first input, with the batch.
 */
export function readsWholeInput(
  graph: Graph,
  shapes: ReadonlyMap<string, NodeShapes>,
  node: ModelNode,
  given: Shape,
): boolean {
  const [name] = node.inputs;
  const expected = name === 'input' ? graph.inputShape : shapes.get(name)!.output;
  return String(given.slice(1)) === String(expected);
}
