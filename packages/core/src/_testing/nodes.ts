import type { ActivationNode } from '../model/nodes/activation.ts';
import type { BatchNormNode } from '../model/nodes/batch-norm.ts';
import type { Conv2dNode } from '../model/nodes/conv2d.ts';
import type { DenseNode } from '../model/nodes/dense.ts';
import type { MaxPoolNode } from '../model/nodes/max-pool2d.ts';

/** A node's options without what every node has; the rest has defaults here. */
type Options<Node> = Partial<Omit<Node, 'kind' | 'name' | 'inputs'>>;

const noPadding = { top: 0, bottom: 0, left: 0, right: 0 };

/** A 3x3 convolution that keeps the size, unless told otherwise. */
export function convNode(name: string, input: string, filters: number, options: Options<Conv2dNode> = {}): Conv2dNode {
  return {
    kind: 'conv2d',
    name,
    inputs: [input],
    filters,
    kernelSize: [3, 3],
    strides: [1, 1],
    padding: { top: 1, bottom: 1, left: 1, right: 1 },
    dilations: [1, 1],
    groups: 1,
    useBias: true,
    ...options,
  };
}

/** A dense layer with a bias. */
export function denseNode(name: string, input: string, units: number, options: Options<DenseNode> = {}): DenseNode {
  return { kind: 'dense', name, inputs: [input], units, useBias: true, ...options };
}

/** A batch normalisation with scale and offset, epsilon 1e-5 and momentum 0.1. */
export function normNode(name: string, input: string, options: Options<BatchNormNode> = {}): BatchNormNode {
  return { kind: 'batchNorm', name, inputs: [input], epsilon: 1e-5, momentum: 0.1, affine: true, ...options };
}

/** ReLU, unless told otherwise. */
export function activationNode(
  name: string,
  input: string,
  kind: ActivationNode['function'] = 'relu',
  slope?: number,
): ActivationNode {
  return { kind: 'activation', name, inputs: [input], function: kind, ...(slope === undefined ? {} : { slope }) };
}

/** A 2x2 window by 2. */
export function maxPoolNode(name: string, input: string, options: Options<MaxPoolNode> = {}): MaxPoolNode {
  return {
    kind: 'maxPool2d',
    name,
    inputs: [input],
    windowSize: [2, 2],
    strides: [2, 2],
    padding: noPadding,
    ...options,
  };
}
