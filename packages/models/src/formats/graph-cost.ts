import { type Graph, inferShapes, type ModelNode, type Padding2d } from '@dafl/core';

/** What one forward pass of one example takes at most, as far as the graph alone tells. */
export interface GraphCost {
  /** Values of all results and of all padded inputs together. */
  readonly values: number;
  /** Values read and windows' multiply-accumulates or comparisons. */
  readonly operations: number;
}

const product = (shape: readonly number[]): number => shape.reduce((total, size) => total * size, 1);

/**
 * Adds up what a graph makes its reader allocate and compute. A file of a few hundred bytes can describe a network that
 * no machine holds; this tells before anything is allocated.
 *
 * @throws {DaflError} `MODEL` if the graph is not sound.
 */
export function graphCost(graph: Graph): GraphCost {
  const shapes = inferShapes(graph);
  const shapeOf = (name: string): readonly number[] => shapes.get(name)?.output ?? graph.inputShape;
  let values = product(graph.inputShape);
  let operations = 0;
  for (const node of graph.nodes) {
    const inputs = node.inputs.map(shapeOf);
    const { output, weights } = shapes.get(node.name)!;
    values += product(output);
    for (const input of inputs) operations += product(input);
    if ('padding' in node) values += padded(inputs[0], node.padding);
    operations += operationsOf(node, output, weights.kernel?.shape ?? []);
  }
  return { values, operations };
}

function padded([height, width, channels]: readonly number[], { top, bottom, left, right }: Padding2d): number {
  return (height + top + bottom) * (width + left + right) * channels;
}

function operationsOf(node: ModelNode, output: readonly number[], kernel: readonly number[]): number {
  if (node.kind === 'conv2d') return output[0] * output[1] * product(kernel);
  if (node.kind === 'dense') return product(kernel);
  return 'windowSize' in node ? product(output) * product(node.windowSize) : product(output);
}
