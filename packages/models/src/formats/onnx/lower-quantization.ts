import { broadcastConstant, type Constant } from './constant.ts';
import { isActivation } from './graph-builder.ts';
import type { Lowerings, OperatorNode } from './operator-node.ts';

/** Number of the type uint8. */
const UINT8 = 2;
/** Least and largest value of the types that quantisation makes. */
const bounds: Readonly<Record<number, readonly [number, number]>> = {
  2: [0, 255],
  3: [-128, 127],
  4: [0, 65_535],
  5: [-32_768, 32_767],
};

/** A scale or zero point for each value: of the whole tensor, or of each entry of an axis. */
function along(node: OperatorNode, { shape }: Constant, parameters: Constant): Constant {
  if (node.number('block_size', 0) !== 0) node.refuse('it is quantised by blocks');
  if (parameters.values.length === 1) return broadcastConstant({ ...parameters, shape: [] }, shape);
  const axis = node.axis(node.number('axis', 1), shape.length);
  if (parameters.values.length !== shape[axis]) node.refuse('its scales do not fit its axis');
  const sizes = shape.map((size, other) => (other === axis ? size : 1));
  return broadcastConstant({ ...parameters, shape: sizes }, shape);
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
    const points = along(node, input, node.optionalConstant(2) ?? zero).values;
    const values = Float32Array.from(input.values, (value, index) => (value - points[index]) * scales[index]);
    return { shape: input.shape, dataType: 1, values };
  },

  QuantizeLinear(node) {
    const input = node.constant(0);
    const point = node.optionalConstant(2) ?? zero;
    const [least, most] = bounds[point.dataType] ?? node.refuse(`it makes data type ${point.dataType}`);
    const scales = along(node, input, node.constant(1)).values;
    const points = along(node, input, point).values;
    const values = Float64Array.from(input.values, (value, index) =>
      Math.min(most, Math.max(least, roundToEven(value / scales[index]) + points[index])),
    );
    return { shape: input.shape, dataType: point.dataType, values };
  },
};

/** Activations are not quantised: a pair of both operators passes its input on. */
export const lowerQuantization: Lowerings = {
  QuantizeLinear(node) {
    node.builder.notes.add('Its activations are quantised, which dafl leaves out: it computes with their exact values');
    return { ...node.activation(0), isQuantized: true };
  },

  DequantizeLinear(node) {
    const value = node.input(0);
    if (!isActivation(value) || !value.isQuantized) return node.refuse('no QuantizeLinear stands before it');
    return { node: value.node, shape: value.shape, order: value.order };
  },
};
