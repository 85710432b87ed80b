import type { ModelNode } from './model.ts';
import type { NodeKind } from './node-kind.ts';
import * as kinds from './nodes/kinds.ts';

const byName = { ...kinds } as unknown as Readonly<Record<string, NodeKind<ModelNode>>>;

/** Names of all kinds of nodes. */
export function nodeKinds(): string[] {
  return Object.keys(byName);
}

/** What is known of a kind, or undefined where there is none of this name. */
export function nodeKind(name: unknown): NodeKind<ModelNode> | undefined {
  return typeof name === 'string' && Object.hasOwn(byName, name) ? byName[name] : undefined;
}

/** What is known of a node's kind. The node is one that was checked. */
export function kindOf(node: ModelNode): NodeKind<ModelNode> {
  return byName[node.kind];
}
