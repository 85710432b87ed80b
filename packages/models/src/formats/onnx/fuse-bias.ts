import type { HostTensor, Model, ModelNode, AffineNode, Conv2dNode, DenseNode } from '@dafl/core';

/**
 * The same model with summands in the layers before them: what exporters write as a product and a sum is one dense
 * layer or convolution with a bias, which training may change.
 */
export function fuseBias({ graph, weights }: Model): Model {
  const readers = new Map<string, number>();
  for (const name of [...graph.nodes.flatMap((node) => node.inputs), ...Object.values(graph.outputs)])
    readers.set(name, (readers.get(name) ?? 0) + 1);
  const nodes = new Map<string, ModelNode>();
  const fused = new Map(weights);
  const renamed = new Map<string, string>();
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => renamed.get(name) ?? name);
    const before = nodes.get(inputs[0]);
    const isSum = node.kind === 'affine' && node.factor.every((factor) => factor === 1);
    if (isSum && before !== undefined && isBare(before) && readers.get(node.inputs[0]) === 1) {
      nodes.set(before.name, { ...before, useBias: true });
      fused.set(`${before.name}.bias`, biasOf(node, before));
      renamed.set(node.name, before.name);
    } else nodes.set(node.name, { ...node, inputs });
  }
  const outputs = Object.fromEntries(
    Object.entries(graph.outputs).map(([role, name]) => [role, renamed.get(name) ?? name]),
  );
  return { graph: { ...graph, nodes: [...nodes.values()], outputs }, weights: fused };
}

function isBare(node: ModelNode): node is DenseNode | Conv2dNode {
  return (node.kind === 'dense' || node.kind === 'conv2d') && !node.useBias;
}

function biasOf({ summand }: AffineNode, node: DenseNode | Conv2dNode): HostTensor {
  const size = node.kind === 'dense' ? node.units : node.filters;
  const data = Float32Array.from({ length: size }, (_, index) => summand[summand.length === 1 ? 0 : index]);
  return { shape: [size], data };
}
