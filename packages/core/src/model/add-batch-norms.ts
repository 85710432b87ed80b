import { findLogitNodes } from './find-logit-nodes.ts';
import { AddedNodes } from './heads/added-nodes.ts';
import type { Graph, ModelNode } from './model.ts';

/** What brings values to a size by itself. */
const norms: ReadonlySet<ModelNode['kind']> = new Set([
  'batchNorm',
  'groupNorm',
  'instanceNorm',
  'layerNorm',
  'localResponseNorm',
]);

/** What values pass without being bent: layers on both sides of it are one. */
const straight: ReadonlySet<ModelNode['kind']> = new Set([
  'add',
  'affine',
  'averagePool2d',
  'concat',
  'dropout',
  'flatten',
  'globalAveragePool2d',
  'pad2d',
  'reduce',
  'reshape',
  'slice',
  'transpose',
]);

const MOMENTUM = 0.1;
const EPSILON = 1e-5;

/**
 * The same graph with a batch norm behind every layer that has a bias, but for those whose values reach the logits without
 * being bent: for training from random weights. `foldBatchNorms` then gives a model of the given graph, with nothing added.
 *
 * @returns The graph as it was where it has norms of its own, or no layer for one.
 */
export function addBatchNorms(graph: Graph): Graph {
  if (graph.nodes.some(({ kind }) => norms.has(kind))) return graph;
  const last = findLastLayers(graph);
  const added = new AddedNodes(graph);
  const renamed = new Map<string, string>();
  const nodes: ModelNode[] = [];
  for (const node of graph.nodes) {
    nodes.push({ ...node, inputs: node.inputs.map((name) => renamed.get(name) ?? name) });
    const isLayer = (node.kind === 'conv2d' || node.kind === 'dense') && node.useBias;
    if (!isLayer || last.has(node.name)) continue;
    const settings = { epsilon: EPSILON, momentum: MOMENTUM, affine: true };
    renamed.set(
      node.name,
      added.add({ kind: 'batchNorm', name: `${node.name}/norm`, inputs: [node.name], ...settings }),
    );
    nodes.push(added.nodes.at(-1)!);
  }
  if (renamed.size === 0) return graph;
  const outputs = Object.entries(graph.outputs).map(([role, name]) => [role, renamed.get(name) ?? name]);
  return { ...graph, nodes, outputs: Object.fromEntries(outputs) };
}

/** Layers between which and the logits nothing is bent. */
function findLastLayers(graph: Graph): ReadonlySet<string> {
  const reached = new Set(findLogitNodes(graph));
  const layers = new Set<string>();
  for (const { name, kind, inputs } of graph.nodes.toReversed()) {
    if (!reached.has(name)) continue;
    if (kind === 'conv2d' || kind === 'dense') layers.add(name);
    else if (straight.has(kind)) for (const input of inputs) reached.add(input);
  }
  return layers;
}
