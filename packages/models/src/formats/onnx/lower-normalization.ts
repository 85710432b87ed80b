import type { HostTensor } from '@dafl/core';
import { combine, scaleBy } from './broadcast.ts';
import { broadcastConstant, broadcastsTo, type Constant, sizeOf } from './constant.ts';
import type { Activation, NodeFields } from './graph-builder.ts';
import { limitTo, scalar } from './lower-arithmetic.ts';
import { channelsLast, weightOf } from './lower-convolutions.ts';
import { reduceTo } from './lower-reductions.ts';
import type { Lowerings, OperatorNode } from './operator-node.ts';
import { reshapeActivation } from './reshape-activation.ts';

/** A scale or offset for each of `size` entries: given for each, or for each of as many groups. */
function spread(node: OperatorNode, { values }: Constant, size: number): HostTensor {
  const each = size / values.length;
  if (!Number.isInteger(each)) node.refuse(`its ${values.length} scales do not fit ${size} channels`);
  return { shape: [size], data: Float32Array.from({ length: size }, (_, index) => values[Math.floor(index / each)]) };
}

/** A normalisation of maps, whatever their rank: all axes behind the channels are one. */
function normalizeMaps(node: OperatorNode, fields: NodeFields): Activation {
  const value = node.activation(0);
  const { shape } = value;
  if (shape.length < 3 || shape[0] !== 1) node.refuse(`it reads no maps: [${shape.join(', ')}]`);
  const maps = shape.length === 4 ? value : reshapeActivation(node, value, [1, shape[1], sizeOf(shape.slice(2)), 1]);
  const input = node.builder.arrange(node.name, maps, [2, 3, 1]);
  const weights = {
    scale: spread(node, node.constant(1), shape[1]),
    offset: spread(node, node.constant(2), shape[1]),
  };
  return reshapeActivation(node, node.builder.map(node.name, input, fields, weights), shape);
}

function epsilonOf(node: OperatorNode): number {
  const epsilon = node.number('epsilon', 1e-5);
  return epsilon > 0 ? epsilon : node.refuse(`its epsilon is ${epsilon}`);
}

/** Of a row that is divided by its length, or of its square. */
const LEAST_LENGTH = 1e-30;

/** x / sqrt(mean(x^2) + epsilon), times a weight: Zhang and Sennrich, Root mean square layer normalization (2019). */
function normalizeByLength(node: OperatorNode): Activation {
  const { builder, name } = node;
  const value = node.activation(0);
  const rank = value.shape.length;
  const axis = node.axis(node.number('axis', -1), rank);
  if (axis === 0 && builder.hasBatch) node.refuse('it mixes the examples of a batch');
  const axes = value.shape.map((_, index) => index).slice(axis);
  const square = builder.map(name, value, { kind: 'power', exponent: 2 });
  const mean = scaleBy(node, reduceTo(node, square, axes, 'mean', true), undefined, scalar(epsilonOf(node)));
  const inverse = builder.map(name, mean, { kind: 'power', exponent: -0.5 });
  return combine(node, 'multiply', combine(node, 'multiply', value, inverse), node.constant(1));
}

export const lowerNormalization: Lowerings = {
  BatchNormalization(node) {
    const value = node.activation(0);
    if (node.number('training_mode', 0) !== 0)
      node.refuse('it is in training mode: export the model in evaluation mode');
    const input = channelsLast(node, value);
    const [scale, offset, runningMean, runningVariance] = [1, 2, 3, 4].map((index) => weightOf(node.constant(index)));
    return node.builder.map(
      node.name,
      input,
      // ONNX's momentum is the share that stays.
      {
        kind: 'batchNorm',
        epsilon: node.number('epsilon', 1e-5),
        momentum: 1 - node.number('momentum', 0.9),
        affine: true,
      },
      { scale, offset, runningMean, runningVariance },
    );
  },
  InstanceNormalization(node) {
    const value = node.activation(0);
    const { shape } = value;
    const maps = node.builder.beforeReshape(value);
    const [, groups] = shape;
    // Maps whose channels were joined in groups for it, as exporters spell a group norm.
    if (maps?.shape.length !== 4 || maps.shape[0] !== 1 || shape[0] !== 1 || maps.shape[1] % groups !== 0)
      return normalizeMaps(node, { kind: 'instanceNorm', epsilon: epsilonOf(node), affine: true });
    const grouped = node.reading([maps, ...node.inputs.slice(1)]);
    const fields: NodeFields = { kind: 'groupNorm', groups, epsilon: epsilonOf(node), affine: true };
    return reshapeActivation(node, normalizeMaps(grouped, fields), shape);
  },

  GroupNormalization: (node) =>
    normalizeMaps(node, {
      kind: 'groupNorm',
      groups: node.number('num_groups', 1),
      epsilon: epsilonOf(node),
      affine: true,
    }),

  LRN(node) {
    const fields: NodeFields = {
      kind: 'localResponseNorm',
      size: node.number('size', 1),
      alpha: node.number('alpha', 1e-4),
      beta: node.number('beta', 0.75),
      bias: node.number('bias', 1),
    };
    return node.builder.map(node.name, channelsLast(node, node.activation(0)), fields);
  },

  LpNormalization(node) {
    const value = node.activation(0);
    const axis = node.axis(node.number('axis', -1), value.shape.length);
    if (axis === 0 && node.builder.hasBatch) node.refuse('it mixes the examples of a batch');
    const isAbsolute = node.number('p', 2) === 1;
    const fields: NodeFields = isAbsolute ? { kind: 'activation', function: 'abs' } : { kind: 'power', exponent: 2 };
    const total = reduceTo(node, node.builder.map(node.name, value, fields), [axis], 'sum', true);
    // A row of zeros stays one, and has a slope.
    const sum = limitTo(node, total, LEAST_LENGTH, Infinity);
    const length = isAbsolute ? sum : node.builder.map(node.name, sum, { kind: 'activation', function: 'sqrt' });
    return combine(node, 'divide', value, length);
  },

  MeanVarianceNormalization(node) {
    const axes = node.distinctAxes(node.numbers('axes') ?? [0, 2, 3], 4);
    if (axes.includes(0)) node.refuse('it mixes the examples of a batch');
    const input = node.maps(0);
    if (axes.length !== 2 || axes.includes(1)) node.refuse('it takes other means than those of a channel');
    return node.builder.map(node.name, input, { kind: 'instanceNorm', epsilon: 1e-9, affine: false });
  },

  RMSNormalization: normalizeByLength,
  // As onnxruntime calls it, in ONNX's domain.
  SimplifiedLayerNormalization: normalizeByLength,

  LayerNormalization(node) {
    const value = node.activation(0);
    const { shape } = value;
    const axis = node.axis(node.number('axis', -1), shape.length);
    if (axis === 0 && node.builder.hasBatch) node.refuse('it mixes the examples of a batch');
    const inner = shape.slice(axis);
    const size = sizeOf(inner);
    const row = (constant: Constant): HostTensor => {
      if (!broadcastsTo(constant.shape, inner)) node.refuse('its scale or bias does not fit what it normalises');
      return weightOf({ ...broadcastConstant(constant, inner), shape: [size] });
    };
    const scale = row(node.constant(1));
    const offset = node.optionalConstant(2);
    const flat = [...shape.slice(0, axis), size];
    const rows = reshapeActivation(node, value, flat);
    const order = [...rows.order.filter((other) => other !== axis), axis];
    const normal = node.builder.map(
      node.name,
      node.builder.arrange(node.name, rows, order),
      { kind: 'layerNorm', epsilon: epsilonOf(node), affine: true },
      { scale, offset: offset === undefined ? { shape: [size], data: new Float32Array(size) } : row(offset) },
    );
    return reshapeActivation(node, normal, shape);
  },
};
