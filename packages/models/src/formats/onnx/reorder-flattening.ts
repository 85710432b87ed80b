import { type Graph, type HostTensor, inferShapes, type Model, type ModelNode, type NodeOfKind } from '@dafl/core';

/** A model whose maps are flattened in another order, and which flattenings that changed. */
export interface Reordered {
  readonly model: Model;
  readonly changed: readonly string[];
}

/** Metadata key of a file in which flattenings were reordered: their names, as JSON. */
export const REORDERED_KEY = 'dafl.flattened_channels_first';

/** Nodes that pass each value on at its place. */
const passing: ReadonlySet<ModelNode['kind']> = new Set(['activation', 'dropout', 'clip']);

/**
 * The same function with maps flattened in another order, where only dense layers read them: the rows of these are put in that
 * order. ONNX has the channels first, so that no transposition is needed there.
 *
 * @param order The order that flattenings get.
 * @param names Which flattenings; absent: all.
 */
export function reorderFlattening(model: Model, order: 'hwc' | 'chw', names?: readonly string[]): Reordered {
  const { graph } = model;
  const shapes = inferShapes(graph);
  const weights = new Map(model.weights);
  const changed = new Set<string>();
  for (const node of graph.nodes) {
    if (node.kind !== 'flatten' || node.order === order || names?.includes(node.name) === false) continue;
    const map = shapes.get(node.inputs[0])?.output ?? graph.inputShape;
    const [height, width, channels] = map;
    if (map.length !== 3 || channels === 1 || height * width === 1) continue;
    const layers = denseReaders(graph, node.name);
    if (layers === undefined) continue;
    for (const { name } of layers) {
      const kernel = weights.get(`${name}.kernel`)!;
      weights.set(`${name}.kernel`, reorderRows(kernel, [height, width, channels], order));
    }
    changed.add(node.name);
  }
  const nodes = graph.nodes.map((node): ModelNode =>
    node.kind === 'flatten' && changed.has(node.name) ? { ...node, order } : node,
  );
  return { model: { ...model, graph: { ...graph, nodes }, weights }, changed: [...changed] };
}

/** Puts the flattenings that `writeOnnx` reordered back as they were. */
export function restoreFlattening(model: Model, metadata: ReadonlyMap<string, string>): Model {
  const text = metadata.get(REORDERED_KEY);
  if (text === undefined) return model;
  let names: unknown;
  try {
    names = JSON.parse(text);
  } catch {
    // It only says how the file came to be.
    return model;
  }
  const isList = Array.isArray(names) && names.every((name) => typeof name === 'string');
  return isList ? reorderFlattening(model, 'hwc', names as string[]).model : model;
}

/** The dense layers that read a row; undefined where anything else does. */
function denseReaders({ nodes, outputs }: Graph, row: string): NodeOfKind<'dense'>[] | undefined {
  const rows = new Set([row]);
  const layers: NodeOfKind<'dense'>[] = [];
  for (const node of nodes) {
    if (!node.inputs.some((input) => rows.has(input))) continue;
    if (node.kind === 'dense') layers.push(node);
    else if (passing.has(node.kind)) rows.add(node.name);
    else return undefined;
  }
  // Features are told to nobody, but by dafl's own loss, which sums them.
  const isGiven = Object.entries(outputs).some(([role, name]) => role !== 'features' && rows.has(name));
  return isGiven ? undefined : layers;
}

function reorderRows(
  { shape, data }: HostTensor,
  [height, width, channels]: readonly [number, number, number],
  order: 'hwc' | 'chw',
): HostTensor {
  const [, units] = shape;
  const area = height * width;
  const rows = new Float32Array(data.length);
  for (let pixel = 0; pixel < area; pixel++) {
    for (let channel = 0; channel < channels; channel++) {
      const [last, first] = [pixel * channels + channel, channel * area + pixel];
      const [from, to] = order === 'chw' ? [last, first] : [first, last];
      rows.set(data.subarray(from * units, (from + 1) * units), to * units);
    }
  }
  return { shape, data: rows };
}
