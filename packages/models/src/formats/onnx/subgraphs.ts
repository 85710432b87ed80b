import type { OnnxAttribute, OnnxGraph, OnnxNode, OnnxTensor } from './parse-onnx.ts';

/** The graphs that are attributes of a node: branches of If. */
export function subgraphsOf(node: OnnxNode): OnnxGraph[] {
  return [...node.attributes.values()].filter(isGraph);
}

/** Whether an attribute is a graph. */
export function isGraph(value: OnnxAttribute): value is OnnxGraph {
  return typeof value === 'object' && 'nodes' in value;
}

/** Names that a node reads: its inputs, and what its graphs read of those around them. */
export function namesRead(node: OnnxNode): string[] {
  const graphs = subgraphsOf(node);
  return graphs.length === 0 ? [...node.inputs] : [...node.inputs, ...graphs.flatMap(capturedBy)];
}

/** Names that a graph reads and does not make. */
function capturedBy(graph: OnnxGraph): string[] {
  const made = new Set([
    ...graph.nodes.flatMap(({ outputs }) => outputs),
    ...[...graph.initializers, ...graph.inputs].map(({ name }) => name),
  ]);
  const read = new Set([...graph.nodes.flatMap(namesRead), ...graph.outputs.map(({ name }) => name)]);
  return [...read].filter((name) => !made.has(name));
}

/** Tensors that a graph and those in it begin with. */
export function allInitializers(graph: OnnxGraph): OnnxTensor[] {
  const inner = graph.nodes.flatMap((node) => subgraphsOf(node).flatMap(allInitializers));
  return [...graph.initializers, ...inner];
}
