import type { ModelNode } from '@dafl/core';

/** The nodes that an output needs, in their order. */
export function nodesReadFor(output: string, nodes: readonly ModelNode[]): ModelNode[] {
  const needed = new Set([output]);
  return nodes
    .toReversed()
    .filter((node) => {
      if (!needed.has(node.name)) return false;
      for (const input of node.inputs) needed.add(input);
      return true;
    })
    .toReversed();
}
