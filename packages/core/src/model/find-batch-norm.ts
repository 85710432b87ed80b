import type { Graph } from './model.ts';

/** Name of the batch norm that a node's channels go through next, also where they are pooled on the way; undefined if there is none. */
export function findBatchNorm(graph: Graph, name: string): string | undefined {
  const [reader, ...others] = graph.nodes.filter(({ inputs }) => inputs.includes(name));
  if (reader === undefined || others.length > 0) return undefined;
  if (reader.kind === 'batchNorm') return reader.name;
  const pools = reader.kind === 'maxPool2d' || reader.kind === 'averagePool2d';
  return pools ? findBatchNorm(graph, reader.name) : undefined;
}
