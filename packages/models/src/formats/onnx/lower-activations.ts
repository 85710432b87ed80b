import type { ActivationFunction } from '@dafl/core';
import type { Activation } from './graph-builder.ts';
import { axisOf } from './lower-layout.ts';
import type { Lowering, Lowerings, OperatorNode } from './operator-node.ts';

function bend(node: OperatorNode, input: Activation, bending: ActivationFunction): Activation {
  return node.builder.map(node.name, input, { kind: 'activation', function: bending });
}

function affine(node: OperatorNode, input: Activation, factor: number, summand: number): Activation {
  if (factor === 1 && summand === 0) return input;
  return node.builder.map(node.name, input, { kind: 'affine', factor: [factor], summand: [summand] });
}

const bending =
  (name: ActivationFunction): Lowering =>
  (node) =>
    bend(node, node.activation(0), name);

/** Limits to low..high by the bends that there are. */
function clip(node: OperatorNode, input: Activation, low: number, high: number): Activation {
  if (low === 0 && high === 6) return bend(node, input, 'relu6');
  if (low >= high) return affine(node, input, 0, high);
  if (low === -Infinity && high === Infinity) return input;
  if (high === Infinity) return affine(node, bend(node, affine(node, input, 1, -low), 'relu'), 1, low);
  if (low === -Infinity) return affine(node, bend(node, affine(node, input, -1, high), 'relu'), -1, high);
  const scale = 6 / (high - low);
  return affine(node, bend(node, affine(node, input, scale, -low * scale), 'relu6'), 1 / scale, low);
}

/** Bounds beyond what a float32 holds bound nothing. */
const LARGEST_FLOAT32 = 3.4028234e38;
const bound = (value: number): number => (Math.abs(value) >= LARGEST_FLOAT32 ? Math.sign(value) * Infinity : value);

export const lowerActivations: Lowerings = {
  Relu: bending('relu'),
  Sigmoid: bending('sigmoid'),
  Tanh: bending('tanh'),
  HardSwish: bending('hardSwish'),

  LeakyRelu(node) {
    const slope = node.number('alpha', 0.01);
    if (slope < 0) node.refuse('its slope is negative');
    return node.builder.map(node.name, node.activation(0), { kind: 'activation', function: 'leakyRelu', slope });
  },

  Clip(node) {
    const [low] = node.numbersAt('min', 1) ?? [-Infinity];
    const [high] = node.numbersAt('max', 2) ?? [Infinity];
    return clip(node, node.activation(0), bound(low), bound(high));
  },

  HardSigmoid(node) {
    const [alpha, beta] = [node.number('alpha', 0.2), node.number('beta', 0.5)];
    const input = node.activation(0);
    if (Math.abs(alpha - 1 / 6) < 1e-6 && beta === 0.5) return bend(node, input, 'hardSigmoid');
    // hardSigmoid is clip(x / 6 + 1 / 2, 0, 1).
    return bend(node, affine(node, input, 6 * alpha, 6 * beta - 3), 'hardSigmoid');
  },

  Gelu(node) {
    const input = node.activation(0);
    if (node.text('approximate', 'none') !== 'none') node.refuse('it is the approximate form');
    return bend(node, input, 'gelu');
  },

  Softmax(node) {
    const value = node.activation(0);
    const rank = value.shape.length;
    const axis = axisOf(node, node.number('axis', node.opset < 13 ? 1 : -1), rank);
    if (rank !== 2 || axis !== 1) node.refuse('only the softmax of one row an example is supported');
    return bend(node, value, 'softmax');
  },
};
