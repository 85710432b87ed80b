import { upsampleConv2d } from '../autodiff/operations/upsample-conv2d.ts';
import type { Value } from '../autodiff/tape.ts';
import type { Graph, ModelNode } from './model.ts';
import type { NodeContext } from './node-kind.ts';
import type { Conv2dNode } from './nodes/conv2d.ts';

/** One step of a forward pass: a node, and whose results it reads. */
export interface PlannedNode {
  readonly node: ModelNode;
  readonly inputs: readonly string[];
  /** Whether the node is a convolution that upsamples its input by two first. */
  readonly isUpsampled: boolean;
}

/**
 * The graph's nodes in order, where an upsampling by two that only a 3x3 convolution reads became part of that
 * convolution: backends run the two at once with fewer than half of the multiplications.
 */
export function fuseUpsampling(graph: Graph): PlannedNode[] {
  const outputs = new Set(Object.values(graph.outputs));
  const byName = new Map(graph.nodes.map((node) => [node.name, node]));
  /** The node that a convolution can upsample in place of, if it can. */
  const upsamplingOf = (node: ModelNode): ModelNode | undefined => {
    if (node.kind !== 'conv2d' || !isSame3x3(node)) return undefined;
    const before = byName.get(node.inputs[0]);
    if (before?.kind !== 'upsampleNearest2d' || before.factors[0] !== 2 || before.factors[1] !== 2) return undefined;
    const readers = graph.nodes.filter(({ inputs }) => inputs.includes(before.name));
    return readers.length === 1 && !outputs.has(before.name) ? before : undefined;
  };
  const merged = new Set(graph.nodes.map(upsamplingOf));
  return graph.nodes
    .filter((node) => !merged.has(node))
    .map((node) => {
      const upsampling = upsamplingOf(node);
      return { node, inputs: (upsampling ?? node).inputs, isUpsampled: upsampling !== undefined };
    });
}

/** Runs a convolution that upsamples its input by two first. */
export function runUpsampledConvolution(
  node: ModelNode,
  [input]: readonly Value[],
  { tape, weight }: NodeContext,
): Value {
  return upsampleConv2d(tape, input, weight('kernel'), (node as Conv2dNode).useBias ? weight('bias') : null);
}

function isSame3x3({ kernelSize, strides, padding, dilations, groups }: Conv2dNode): boolean {
  return (
    kernelSize.every((size) => size === 3) &&
    strides.every((stride) => stride === 1) &&
    dilations.every((dilation) => dilation === 1) &&
    Object.values(padding).every((rows) => rows === 1) &&
    groups === 1
  );
}
