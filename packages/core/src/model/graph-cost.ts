import { inferShapes } from './infer-shapes.ts';
import type { Graph } from './model.ts';
import { kindOf } from './node-kinds.ts';
import { sizeOf } from '../shape.ts';

/** What one forward pass of one example takes at most, as far as the graph alone tells. */
export interface GraphCost {
  /** Values of all results and of all padded inputs together. */
  readonly values: number;
  /** Values read and windows' multiply-accumulates or comparisons. */
  readonly operations: number;
}

/**
 * Adds up what a graph makes its reader allocate and compute. A file of a few hundred bytes can describe a network that
 * no machine holds; this tells before anything is allocated.
 *
 * @throws {DaflError} `MODEL` if the graph is not sound.
 */
export function graphCost(graph: Graph): GraphCost {
  const shapes = inferShapes(graph);
  let values = sizeOf(graph.inputShape);
  let operations = 0;
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => shapes.get(name)?.output ?? graph.inputShape);
    const found = shapes.get(node.name)!;
    const written = sizeOf(found.output);
    const cost = kindOf(node).cost?.(node, inputs, found) ?? {};
    values += written + (cost.workspace ?? 0);
    for (const input of inputs) operations += sizeOf(input);
    operations += cost.operations ?? cost.multiplyAccumulates ?? written;
  }
  return { values, operations };
}
