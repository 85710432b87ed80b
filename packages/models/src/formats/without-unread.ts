import type { Graph, Model } from '@dafl/core';
import { nodesReadFor } from './nodes-read-for.ts';

/** Reshapes that others undid, and whatever else the logits do not need, are left out. */
export function withoutUnread(graph: Graph, weights: Model['weights']): Model {
  const nodes = nodesReadFor(graph.outputs.logits, graph.nodes);
  const names = new Set(nodes.map((node) => node.name));
  const kept = [...weights].filter(([weight]) => names.has(weight.slice(0, weight.lastIndexOf('.'))));
  return { graph: { ...graph, nodes }, weights: new Map(kept) };
}
