import { inferShapes } from './infer-shapes.ts';
import type { Graph, ModelNode } from './model.ts';
import { kindOf } from './node-kinds.ts';
import { sizeOf } from '../shape.ts';

/** One line of a model's description. */
export interface NodeDescription {
  readonly name: string;
  readonly kind: ModelNode['kind'];
  /** Of one example. */
  readonly outputShape: readonly number[];
  /** Weights that training changes. */
  readonly parameters: number;
  /** Multiply-accumulates of convolutions and matrix products for one example. */
  readonly multiplyAccumulates: number;
}

/** What a model costs. */
export interface ModelDescription {
  readonly name: string;
  readonly inputShape: readonly number[];
  readonly nodes: readonly NodeDescription[];
  readonly parameters: number;
  readonly multiplyAccumulates: number;
  /** Bytes of all weights as float32, running statistics included. */
  readonly bytes: number;
}

/** Parameters, multiply-accumulates and shapes of each node and of the whole. */
export function describeModel(graph: Graph): ModelDescription {
  const shapes = inferShapes(graph);
  let bytes = 0;
  const nodes = graph.nodes.map((node): NodeDescription => {
    const found = shapes.get(node.name)!;
    const { output, weights } = found;
    const inputs = node.inputs.map((name) => shapes.get(name)?.output ?? graph.inputShape);
    const specifications = Object.values(weights);
    for (const { shape } of specifications) bytes += sizeOf(shape) * 4;
    const trainable = specifications.filter((weight) => weight.trainable);
    return {
      name: node.name,
      kind: node.kind,
      outputShape: output,
      parameters: trainable.reduce((total, { shape }) => total + sizeOf(shape), 0),
      multiplyAccumulates: kindOf(node).cost?.(node, inputs, found).multiplyAccumulates ?? 0,
    };
  });
  return {
    name: graph.name,
    inputShape: graph.inputShape,
    nodes,
    parameters: nodes.reduce((total, node) => total + node.parameters, 0),
    multiplyAccumulates: nodes.reduce((total, node) => total + node.multiplyAccumulates, 0),
    bytes,
  };
}
