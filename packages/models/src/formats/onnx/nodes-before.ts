import type { OnnxModel, OnnxNode } from './parse-onnx.ts';

/** The nodes that a tensor needs, in the file's order. */
export function nodesBefore(model: OnnxModel, tensor: string): OnnxNode[] {
  const needed = new Set([tensor]);
  const producers = new Map(model.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const kept = new Set<OnnxNode>();
  for (const name of needed) {
    const node = producers.get(name);
    if (node === undefined) continue;
    kept.add(node);
    for (const input of node.inputs) if (input !== '') needed.add(input);
  }
  return model.nodes.filter((node) => kept.has(node));
}
