import type { AveragePoolNode, Conv2dNode, Model, ModelNode, Padding2d } from '@dafl/core';

/**
 * The same model with zeros that are put around maps as the padding of the convolution that reads them: a layer of its own
 * in Keras, and a copy of the maps.
 */
export function fusePadding({ graph, weights }: Model): Model {
  const readers = new Map<string, ModelNode[]>();
  for (const node of graph.nodes)
    for (const name of node.inputs) readers.set(name, [...(readers.get(name) ?? []), node]);
  const marked = new Set(Object.values(graph.outputs));
  const paddings = new Map<string, { readonly input: string; readonly padding: Padding2d }>();
  for (const node of graph.nodes) {
    if (node.kind !== 'pad2d' || (node.mode ?? 'constant') !== 'constant' || (node.value ?? 0) !== 0) continue;
    const reading = readers.get(node.name) ?? [];
    if (marked.has(node.name) || reading.length === 0 || !reading.every((reader) => takesPadding(reader, node.padding)))
      continue;
    paddings.set(node.name, { input: node.inputs[0], padding: node.padding });
  }
  if (paddings.size === 0) return { graph, weights };
  const nodes = graph.nodes.flatMap((node): ModelNode[] => {
    if (paddings.has(node.name)) return [];
    const around = paddings.get(node.inputs[0]);
    if (around === undefined || !isSliding(node)) return [node];
    const { input, padding } = around;
    const own = node.padding;
    const sum: Padding2d = {
      top: own.top + padding.top,
      bottom: own.bottom + padding.bottom,
      left: own.left + padding.left,
      right: own.right + padding.right,
    };
    const moved = { ...node, inputs: [input], padding: sum };
    return [moved.kind === 'averagePool2d' ? { ...moved, countsPadding: true } : moved];
  });
  return { graph: { ...graph, nodes }, weights };
}

function isSliding(node: ModelNode): node is Conv2dNode | AveragePoolNode {
  return node.kind === 'conv2d' || node.kind === 'averagePool2d';
}

/** Whether a node may have the zeros before it as padding of its own. */
function takesPadding(node: ModelNode, around: Padding2d): boolean {
  if (node.kind === 'conv2d') return true;
  if (node.kind !== 'averagePool2d') return false;
  const [height, width] = node.windowSize;
  const { top, bottom, left, right } = node.padding;
  const isBare = top + bottom + left + right === 0;
  return isBare && Math.max(around.top, around.bottom) < height && Math.max(around.left, around.right) < width;
}
