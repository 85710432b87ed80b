import type { Graph, ModelNode } from './model.ts';

/** What only scales values and moves them. */
const passing: ReadonlySet<ModelNode['kind']> = new Set(['affine', 'concat', 'flatten', 'reshape', 'transpose']);

/** Names of the nodes that give logits: the output, and what it only scales and moves. */
export function findLogitNodes({ nodes, outputs }: Graph): ReadonlySet<string> {
  const logits = new Set([outputs.logits]);
  for (const { name, kind, inputs } of nodes.toReversed()) {
    if (logits.has(name) && passing.has(kind)) for (const input of inputs) logits.add(input);
  }
  return logits;
}
