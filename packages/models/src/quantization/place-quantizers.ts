import type { Graph, ModelNode, NodeOfKind } from '@dafl/core';

/** A layer that computes with integers. */
export type QuantizedLayer = NodeOfKind<'conv2d' | 'dense'>;

/** Whether a node computes with integers. */
export function isQuantizedLayer(node: ModelNode): node is QuantizedLayer {
  return node.kind === 'conv2d' || node.kind === 'dense';
}

/** Where a value gets its bytes. */
export interface QuantizerPlace {
  /** The value whose scale it has: its own mostly. */
  readonly source: string;
  /** Whether operators are written that bring it to bytes; else runtimes know that its input's bytes are its own. */
  readonly isWritten: boolean;
}

/** Nodes whose results are some of their input's values, and whether runtimes take bytes through them by themselves. */
const moving: Partial<Readonly<Record<ModelNode['kind'], boolean>>> = {
  maxPool2d: true,
  reshape: true,
  transpose: true,
  slice: true,
  flatten: true,
  upsampleNearest2d: false,
  depthToSpace: false,
  spaceToDepth: false,
};

/**
 * Chooses the values that are held in eight bits, as runtimes need them to compute with integers: what layers read, what
 * they give, behind the activation that only cuts it off, and what is moved in between. What no layer reads any more,
 * as the logits, stays as it is.
 *
 * Source: ONNX Runtime, "Quantize ONNX models", on the form with QuantizeLinear and DequantizeLinear.
 *
 * @returns By node or `'input'`, in the graph's order.
 */
export function placeQuantizers({ nodes }: Graph): Map<string, QuantizerPlace> {
  const places = new Map<string, QuantizerPlace>();
  const readers = new Map<string, ModelNode[]>();
  for (const node of nodes) {
    for (const name of node.inputs) readers.set(name, [...(readers.get(name) ?? []), node]);
  }
  /** Values on the way to a layer. */
  const upstream = new Set<string>();
  for (const node of [...nodes].reverse()) {
    if (isQuantizedLayer(node) || upstream.has(node.name)) node.inputs.forEach((name) => upstream.add(name));
  }
  const isRead = (name: string): boolean => readers.get(name)?.some(isQuantizedLayer) === true;
  /** Runtimes leave such an activation out: the least byte stands for its 0. */
  const isCutOff = (name: string): boolean => {
    const [reader, ...others] = readers.get(name) ?? [];
    return others.length === 0 && reader?.kind === 'activation' && ['relu', 'relu6'].includes(reader.function);
  };
  const layers = new Set(nodes.filter(isQuantizedLayer).map(({ name }) => name));

  if (isRead('input')) places.set('input', { source: 'input', isWritten: true });
  for (const node of nodes) {
    const { name, kind, inputs } = node;
    if (!upstream.has(name)) continue;
    const carries = moving[kind];
    const origin = carries === undefined ? undefined : places.get(inputs[0]);
    const isGiven = layers.has(name) ? !isCutOff(name) : layers.has(inputs[0]) && isCutOff(inputs[0]);
    if (origin !== undefined) places.set(name, { source: origin.source, isWritten: carries === false });
    else if (isGiven || isRead(name)) places.set(name, { source: name, isWritten: true });
  }
  return places;
}
