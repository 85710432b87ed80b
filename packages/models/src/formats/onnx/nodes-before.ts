import type { OnnxGraph, OnnxNode } from './parse-onnx.ts';
import { namesRead } from './subgraphs.ts';

/** The nodes that tensors need, in the file's order. */
export function nodesBefore({ nodes }: Pick<OnnxGraph, 'nodes'>, ...tensors: readonly string[]): OnnxNode[] {
  const needed = new Set(tensors);
  const producers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const kept = new Set<OnnxNode>();
  for (const name of needed) {
    const node = producers.get(name);
    if (node === undefined) continue;
    kept.add(node);
    for (const input of namesRead(node)) if (input !== '') needed.add(input);
  }
  return nodes.filter((node) => kept.has(node));
}
