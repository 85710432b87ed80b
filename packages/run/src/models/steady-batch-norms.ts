import type { Graph } from '@dafl/core';

/** Statistics of some ten batches. A larger momentum has those of the last ones: of mixed pictures, or of blank ones. */
const MOST_MOMENTUM = 0.1;

/**
 * A graph whose batch norms move slowly: what a student ends with is to hold for all that it has seen. A teacher that was
 * trained in few, large batches has fast ones, of no use to its student.
 */
export function steadyBatchNorms(graph: Graph): Graph {
  const nodes = graph.nodes.map((node) =>
    node.kind === 'batchNorm' && node.momentum > MOST_MOMENTUM ? { ...node, momentum: MOST_MOMENTUM } : node,
  );
  return { ...graph, nodes };
}
