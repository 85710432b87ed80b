import type { Graph, ModelNode } from '../model.ts';
import { AddedNodes } from './added-nodes.ts';
import { GraphIndex } from './graph-index.ts';
import { leavesOrder } from './leaves-order.ts';
import type { SpeltSigmoid } from './spelling.ts';
import { sigmoidSpellings } from './spellings.ts';

/** The same graph with a sigmoid in place of one that is spelt out at its end. */
export function respellSigmoid(graph: Graph): Graph {
  const index = new GraphIndex(graph);
  let node = index.nodeOf(graph.outputs.logits);
  while (node !== undefined) {
    for (const spelling of sigmoidSpellings) {
      const spelt = spelling(node, index);
      if (spelt !== undefined) return replaceBySigmoid(graph, spelt);
    }
    if (!leavesOrder(node, index.shapeOf(node.inputs[0]))) return graph;
    node = index.nodeOf(node.inputs[0]);
  }
  return graph;
}

function replaceBySigmoid(graph: Graph, { steps, source, factor }: SpeltSigmoid): Graph {
  const [last, ...before] = steps;
  const added = new AddedNodes(graph);
  const input = added.add({ kind: 'affine', name: `${last}/scaled`, inputs: [source], factor: [factor], summand: [0] });
  const sigmoid: ModelNode = { kind: 'activation', name: last, inputs: [input], function: 'sigmoid' };
  let nodes = graph.nodes.flatMap((node) => (node.name === last ? [...added.nodes, sigmoid] : [node]));
  const outputs = Object.values(graph.outputs);
  for (const name of before) {
    const isRead = outputs.includes(name) || nodes.some(({ inputs }) => inputs.includes(name));
    if (!isRead) nodes = nodes.filter((node) => node.name !== name);
  }
  return { ...graph, nodes };
}
