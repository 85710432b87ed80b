import { fail, type Model } from '@dafl/core';

/**
 * The same classifier with another node's output as its logits, and without the nodes and weights that nothing needs
 * any longer: what to do with a network that ends in something else.
 *
 * @param name A node of the graph.
 * @throws {DaflError} `MODEL` if there is no such node.
 */
export function markLogits(model: Model, name: string): Model {
  const { graph, weights } = model;
  if (!graph.nodes.some((node) => node.name === name)) {
    fail({
      code: 'MODEL',
      cannot: `use model '${graph.name}'`,
      as: `'logits' must name one of its nodes [${graph.nodes.map((node) => node.name).join(', ')}]`,
      value: `'${name}'`,
    });
  }
  const outputs = { ...graph.outputs, logits: name };
  const needed = new Set(Object.values(outputs));
  const nodes = graph.nodes
    .toReversed()
    .filter((node) => {
      if (!needed.has(node.name)) return false;
      node.inputs.forEach((input) => needed.add(input));
      return true;
    })
    .toReversed();
  const isNeeded = (weight: string): boolean => needed.has(weight.slice(0, weight.lastIndexOf('.')));
  return { graph: { ...graph, nodes, outputs }, weights: new Map([...weights].filter(([weight]) => isNeeded(weight))) };
}
