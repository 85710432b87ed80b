import type { ActivationFunction } from '@dafl/core';
import { combine, scaleBy } from './broadcast.ts';
import { broadcastConstant, type Constant, sizeOf } from './constant.ts';
import type { Activation, NodeFields } from './graph-builder.ts';
import { limitTo, scalar } from './lower-arithmetic.ts';
import { channelsLast } from './lower-convolutions.ts';
import type { Lowering, Lowerings, LoweringSite, OperatorNode } from './operator-node.ts';
import { reshapeActivation } from './reshape-activation.ts';

function bend(node: OperatorNode, input: Activation, bending: ActivationFunction): Activation {
  return node.builder.map(node.name, input, { kind: 'activation', function: bending });
}

const bending =
  (name: ActivationFunction): Lowering =>
  (node) =>
    bend(node, node.activation(0), name);

/** max(x, 0) - slope x max(-x, 0), for slopes that leakyRelu and prelu do not have. */
function slopes(node: OperatorNode, input: Activation, slope: Constant): Activation {
  const negative = bend(node, scaleBy(node, input, scalar(-1)), 'relu');
  return combine(node, 'subtract', bend(node, input, 'relu'), combine(node, 'multiply', negative, slope));
}

function hyperbola(node: OperatorNode, kind: 'add' | 'subtract'): Activation {
  const value = node.activation(0);
  const [rising, falling] = [value, scaleBy(node, value, scalar(-1))].map((side) => bend(node, side, 'exp'));
  return scaleBy(node, combine(node, kind, rising, falling), scalar(0.5));
}

/** Softmax along an axis; before opset 13 along all axes from that one on. */
function softmax(node: OperatorNode, logarithm: boolean): Activation {
  const value = node.activation(0);
  const { shape } = value;
  const axis = node.axis(node.number('axis', node.opset < 13 ? 1 : -1), shape.length);
  if (axis === 0 && node.builder.hasBatch) node.refuse('it mixes the examples of a batch');
  if (node.opset < 13 && sizeOf(shape.slice(axis + 1)) > 1) {
    const flat = reshapeActivation(node, value, [...shape.slice(0, axis), sizeOf(shape.slice(axis))]);
    return reshapeActivation(node, softmaxAlong(node, flat, axis, logarithm), shape);
  }
  return softmaxAlong(node, value, axis, logarithm);
}

/** Softmax along one axis, or its logarithm. */
export function softmaxAlong(node: LoweringSite, value: Activation, axis: number, logarithm: boolean): Activation {
  const input = value.order.includes(axis)
    ? value
    : node.builder.arrange(node.name, value, [...value.order.slice(0, 4), axis]);
  if (input.order.length === 1 && !logarithm)
    return node.builder.map(node.name, input, { kind: 'activation', function: 'softmax' });
  return node.builder.map(node.name, input, { kind: 'softmax', axis: input.order.indexOf(axis), logarithm });
}

export const lowerActivations: Lowerings = {
  Relu: bending('relu'),
  Sigmoid: bending('sigmoid'),
  Tanh: bending('tanh'),
  HardSwish: bending('hardSwish'),
  Erf: bending('erf'),
  Softplus: bending('softplus'),
  Softsign: bending('softsign'),
  Mish: bending('mish'),
  Exp: bending('exp'),
  Log: bending('log'),
  Sqrt: bending('sqrt'),
  Abs: bending('abs'),

  LeakyRelu(node) {
    const slope = node.number('alpha', 0.01);
    const input = node.activation(0);
    if (slope < 0) return slopes(node, input, scalar(slope));
    return node.builder.map(node.name, input, { kind: 'activation', function: 'leakyRelu', slope });
  },

  PRelu(node) {
    const value = node.activation(0);
    const slope = node.constant(1);
    const rank = value.shape.length;
    const wide = slope.shape.flatMap((size, axis) => (size === 1 ? [] : [rank - slope.shape.length + axis]));
    if (rank < 2 || wide.some((axis) => axis !== 1)) return slopes(node, value, slope);
    const count = slope.values.length;
    if (count !== 1 && count !== value.shape[1]) node.refuse('its slopes do not fit its channels');
    const row = broadcastConstant({ ...slope, shape: [count] }, [value.shape[1]]);
    const weights = { slope: { shape: [value.shape[1]], data: Float32Array.from(row.values) } };
    return node.builder.map(node.name, channelsLast(node, value), { kind: 'prelu' }, weights);
  },

  Elu(node) {
    const alpha = node.number('alpha', 1);
    return node.builder.map(node.name, node.activation(0), { kind: 'activation', function: 'elu', alpha });
  },

  Celu(node) {
    // alpha elu(x / alpha)
    const alpha = node.number('alpha', 1);
    const bent = bend(node, scaleBy(node, node.activation(0), scalar(1 / alpha)), 'elu');
    return scaleBy(node, bent, scalar(alpha));
  },

  Selu(node) {
    const [alpha, gamma] = [node.number('alpha', 1.6732632423543772), node.number('gamma', 1.0507009873554805)];
    if (Math.abs(alpha - 1.6732632) < 1e-6 && Math.abs(gamma - 1.050701) < 1e-6)
      return bend(node, node.activation(0), 'selu');
    const fields: NodeFields = { kind: 'activation', function: 'elu', alpha };
    return scaleBy(node, node.builder.map(node.name, node.activation(0), fields), scalar(gamma));
  },

  Clip(node) {
    const [low] = node.numbersAt('min', 1) ?? [-Infinity];
    const [high] = node.numbersAt('max', 2) ?? [Infinity];
    return limitTo(node, node.activation(0), low, high);
  },

  HardSigmoid(node) {
    const [alpha, beta] = [node.number('alpha', 0.2), node.number('beta', 0.5)];
    const isUsual = Math.abs(alpha - 1 / 6) < 1e-6 && beta === 0.5;
    const fields: NodeFields = { kind: 'activation', function: 'hardSigmoid', ...(!isUsual && { alpha, beta }) };
    return node.builder.map(node.name, node.activation(0), fields);
  },

  Gelu: (node) => bend(node, node.activation(0), node.text('approximate', 'none') === 'tanh' ? 'geluTanh' : 'gelu'),

  Swish(node) {
    const [value, alpha] = [node.activation(0), node.number('alpha', 1)];
    if (alpha === 1) return bend(node, value, 'silu');
    return combine(node, 'multiply', value, bend(node, scaleBy(node, value, scalar(alpha)), 'sigmoid'));
  },

  /** (e^x - e^-x) / 2 */
  Sinh: (node) => hyperbola(node, 'subtract'),
  Cosh: (node) => hyperbola(node, 'add'),

  Softmax: (node) => softmax(node, false),
  LogSoftmax: (node) => softmax(node, true),
};
