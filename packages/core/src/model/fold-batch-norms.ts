import type { HostTensor, Model, ModelNode, NodeOfKind } from './model.ts';

/**
 * The same classifier in inference, with every batch norm that only follows a convolution or a dense layer folded into
 * its kernel and bias. What is folded has no statistics any more that data-free methods could lean on.
 *
 * Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference",
 * CVPR 2018, section 3.2.
 *
 * @returns A model that shares the weights that do not change.
 */
export function foldBatchNorms({ graph, weights }: Model): Model {
  const folded = new Map(weights);
  const nodes: ModelNode[] = [];
  /** Nodes that are gone, and what stands in their place. */
  const renamed = new Map<string, string>();
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => renamed.get(name) ?? name);
    const previous = nodes.findIndex(({ name }) => name === inputs[0]);
    const layer = nodes[previous];
    const readers = graph.nodes.filter((other) => other.inputs.includes(node.inputs[0]));
    const isOutput = Object.values(graph.outputs).includes(node.inputs[0]);
    const folds = layer?.kind === 'conv2d' || layer?.kind === 'dense';
    if (node.kind !== 'batchNorm' || !folds || readers.length > 1 || isOutput) {
      nodes.push({ ...node, inputs });
      continue;
    }
    nodes[previous] = { ...layer, useBias: true };
    fold(folded, layer, node);
    renamed.set(node.name, layer.name);
  }
  const outputs = Object.fromEntries(
    Object.entries(graph.outputs).map(([role, name]) => [role, renamed.get(name) ?? name]),
  );
  return { graph: { ...graph, nodes, outputs }, weights: folded };
}

function fold(
  weights: Map<string, HostTensor>,
  layer: NodeOfKind<'conv2d' | 'dense'>,
  { name, epsilon, affine }: NodeOfKind<'batchNorm'>,
): void {
  const take = (weight: string): Float32Array => {
    const { data } = weights.get(`${name}.${weight}`)!;
    weights.delete(`${name}.${weight}`);
    return data;
  };
  const [mean, variance] = [take('runningMean'), take('runningVariance')];
  const [scale, offset] = affine ? [take('scale'), take('offset')] : [null, null];
  const factor = variance.map((value, channel) => (scale?.[channel] ?? 1) / Math.sqrt(value + epsilon));
  const kernel = weights.get(`${layer.name}.kernel`)!;
  // Filters, or units, are the last axis.
  const channels = factor.length;
  weights.set(`${layer.name}.kernel`, {
    shape: kernel.shape,
    data: kernel.data.map((value, index) => value * factor[index % channels]),
  });
  const bias = weights.get(`${layer.name}.bias`)?.data;
  weights.set(`${layer.name}.bias`, {
    shape: [channels],
    data: factor.map((value, channel) => ((bias?.[channel] ?? 0) - mean[channel]) * value + (offset?.[channel] ?? 0)),
  });
}
