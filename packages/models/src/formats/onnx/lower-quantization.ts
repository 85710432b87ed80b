import { mapAxis, takeEntries } from './axis-maps.ts';
import { broadcastConstant, type Constant } from './constant.ts';
import { type Activation, type GraphBuilder, isActivation } from './graph-builder.ts';
import { limitTo } from './lower-arithmetic.ts';
import { lowerConvolutions } from './lower-convolutions.ts';
import { multiplyMatrices } from './lower-dense.ts';
import type { Lowerings, OperatorNode } from './operator-node.ts';

/** Number of the type uint8. */
const UINT8 = 2;
/** Least and largest value of the types that quantisation makes. */
const bounds: Readonly<Record<number, readonly [number, number]>> = {
  2: [0, 255],
  3: [-128, 127],
  4: [0, 65_535],
  5: [-32_768, 32_767],
  21: [0, 15],
  22: [-8, 7],
};

/** A scale or zero point for each value: of the whole tensor, or of each entry of an axis. */
function along(node: OperatorNode, { shape }: Constant, parameters: Constant): Constant {
  const block = node.number('block_size', 0);
  if (block !== 0) {
    const axis = node.axis(node.number('axis', 1), shape.length);
    const blocks = shape.map((size, other) => (other === axis ? Math.ceil(size / block) : size));
    if (!(block >= 1) || blocks.join() !== parameters.shape.join()) node.refuse('its scales do not fit its blocks');
    const places = Array.from({ length: shape[axis] }, (_, place) => Math.floor(place / block));
    return mapAxis(parameters, axis, takeEntries(places));
  }
  if (parameters.values.length === 1) return broadcastConstant({ ...parameters, shape: [] }, shape);
  const axis = node.axis(node.number('axis', 1), shape.length);
  if (parameters.values.length !== shape[axis]) node.refuse('its scales do not fit its axis');
  const sizes = shape.map((size, other) => (other === axis ? size : 1));
  return broadcastConstant({ ...parameters, shape: sizes }, shape);
}

/** A zero point for each value. */
function pointsOf(node: OperatorNode, input: Constant, points: Constant | undefined): ArrayLike<number> {
  return points === undefined ? new Uint8Array(input.values.length) : along(node, input, points).values;
}

const zero: Constant = { shape: [], values: Float64Array.of(0), dataType: UINT8 };

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest === 0.5 ? floor + (Math.abs(floor) % 2) : Math.round(value);
}

/** What quantised weights stand for is known as the file is read. */
export const quantizationFolds: Readonly<Record<string, (node: OperatorNode) => Constant>> = {
  DequantizeLinear(node) {
    const input = node.constant(0);
    const scales = along(node, input, node.constant(1)).values;
    const points = pointsOf(node, input, node.optionalConstant(2));
    const values = Float32Array.from(input.values, (value, index) => (value - points[index]) * scales[index]);
    return { shape: input.shape, dataType: 1, values };
  },

  QuantizeLinear(node) {
    const input = node.constant(0);
    const point = node.optionalConstant(2) ?? zero;
    const [least, most] = bounds[point.dataType] ?? node.refuse(`it makes data type ${point.dataType}`);
    const scales = along(node, input, node.constant(1)).values;
    const points = pointsOf(node, input, node.optionalConstant(2));
    const values = Float64Array.from(input.values, (value, index) =>
      Math.min(most, Math.max(least, roundToEven(value / scales[index]) + points[index])),
    );
    return { shape: input.shape, dataType: point.dataType, values };
  },
};

/** Said once, however many there are. */
const UNQUANTIZED = 'Its activations are quantised, which dafl leaves out: it computes with their exact values';

/** Nodes that give no negative values, whatever they read. */
const positive: ReadonlySet<string> = new Set([
  'relu',
  'relu6',
  'sigmoid',
  'hardSigmoid',
  'softmax',
  'softplus',
  'exp',
  'abs',
]);
/** Nodes that give none where they read none. */
const keeping: ReadonlySet<string> = new Set([
  'maxPool2d',
  'averagePool2d',
  'globalAveragePool2d',
  'reshape',
  'flatten',
  'transpose',
  'slice',
  'concat',
  'add',
  'multiply',
  'dropout',
  'upsampleNearest2d',
]);

/** Nodes that are looked at before one: behind so many, a ReLU that does nothing costs less. */
const FARTHEST = 32;

/** Whether a node gives no negative values. Pictures have none. */
function isNeverNegative(builder: GraphBuilder, name: string): boolean {
  const open = new Set([name]);
  for (const each of open) {
    const node = builder.find(each);
    if (each === 'input' || (node?.kind === 'activation' && positive.has(node.function))) continue;
    if (node?.kind === 'softmax' && !node.logarithm) continue;
    if (node?.kind === 'clip' && (node.minimum ?? -1) >= 0) continue;
    if (node === undefined || !keeping.has(node.kind) || open.size > FARTHEST) return false;
    for (const input of node.inputs) open.add(input);
  }
  return true;
}

/** How near a bound must be to 6 for it to be that of a ReLU6. */
const NEAR_SIX = 0.01;

/**
 * What the range of a quantised activation does to it: where it begins at 0, the quantiser has left out the ReLU that stood
 * before it, or the ReLU6 where it ends at 6. Other bounds are those of what was seen at calibration.
 */
function rectify(node: OperatorNode, value: Activation): Activation {
  const scale = node.constant(1);
  const point = node.optionalConstant(2) ?? { ...zero, dataType: node.number('output_dtype', UINT8) || UINT8 };
  const range = bounds[point.dataType];
  if (range === undefined || scale.values.length !== 1 || point.values.length !== 1 || point.values[0] !== range[0])
    return value;
  if (isNeverNegative(node.builder, value.node)) return value;
  const most = (range[1] - range[0]) * scale.values[0];
  return limitTo(node, value, 0, Math.abs(most - 6) < NEAR_SIX ? 6 : Infinity);
}

/** The activation that an operator of integers reads, and what its weights stand for but for their scale. */
function integersOf(node: OperatorNode, axis: (rank: number) => number): { value: Activation; weights: Constant } {
  const [value] = node.inputs;
  if (!isActivation(value) || value.isUnscaled !== true)
    return node.refuse('its first input is not what DynamicQuantizeLinear makes');
  const given = node.constant(1);
  const points = node.optionalConstant(3) ?? zero;
  const size = given.shape[axis(given.shape.length)];
  if (points.values.length !== 1 && points.values.length !== size)
    node.refuse('its zero points do not fit its weights');
  const sizes = given.shape.map((length, other) => (other === axis(given.shape.length) ? length : 1));
  const wide = broadcastConstant({ ...points, shape: points.values.length === 1 ? [] : sizes }, given.shape).values;
  return {
    value: { node: value.node, shape: value.shape, order: value.order },
    weights: {
      shape: given.shape,
      dataType: 1,
      values: Float32Array.from(given.values, (each, index) => each - wide[index]),
    },
  };
}

/** Activations are not quantised: a pair of both operators passes its input on. */
export const lowerQuantization: Lowerings = {
  QuantizeLinear(node) {
    node.builder.notes.add(UNQUANTIZED);
    return { ...rectify(node, node.activation(0)), isQuantized: true };
  },

  DynamicQuantizeLinear(node) {
    node.builder.notes.add(UNQUANTIZED);
    const scale: Constant = { shape: [], dataType: 1, values: Float32Array.of(1) };
    return [{ ...node.activation(0), isQuantized: true, isUnscaled: true }, scale, zero];
  },

  MatMulInteger(node) {
    const { value, weights } = integersOf(node, (rank) => rank - 1);
    return multiplyMatrices(node, value, weights);
  },

  ConvInteger(node) {
    const { value, weights } = integersOf(node, () => 0);
    return lowerConvolutions['Conv'](node.reading([value, weights]));
  },

  DequantizeLinear(node) {
    const value = node.input(0);
    if (!isActivation(value) || !value.isQuantized) return node.refuse('no QuantizeLinear stands before it');
    return { node: value.node, shape: value.shape, order: value.order };
  },
};
