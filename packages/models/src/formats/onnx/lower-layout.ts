import { FLOAT, isFloatType, sizeOf } from './constant.ts';
import type { Activation } from './graph-builder.ts';
import type { Lowering, Lowerings, OperatorNode } from './operator-node.ts';
import { reshapeActivation } from './reshape-activation.ts';

/** Passes its first input on. */
const pass: Lowering = (node) => node.input(0);

/** An axis as a number >= 0. */
export function axisOf(node: OperatorNode, axis: number, rank: number): number {
  const found = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(found) || found < 0 || found >= rank) node.refuse(`it has no axis ${axis}`);
  return found;
}

export const lowerLayout: Lowerings = {
  Identity: pass,
  Dropout: pass,

  Cast(node) {
    const type = node.number('to', FLOAT);
    return isFloatType(type) ? node.input(0) : node.refuse(`it makes activations of data type ${type}`);
  },

  Flatten(node) {
    const value = node.activation(0);
    const given = node.number('axis', 1);
    const axis = given < 0 ? given + value.shape.length : given;
    return reshapeActivation(node, value, [sizeOf(value.shape.slice(0, axis)), sizeOf(value.shape.slice(axis))]);
  },

  Reshape(node) {
    const value = node.activation(0);
    const sizes = node.numbersAt('shape', 1) ?? node.refuse('it has no shape');
    const keepsZero = node.number('allowzero', 0) !== 0;
    const goal = sizes.map((size, axis) => (size === 0 && !keepsZero ? (value.shape[axis] ?? 0) : size));
    const rest = sizeOf(value.shape) / sizeOf(goal.filter((size) => size !== -1));
    return reshapeActivation(
      node,
      value,
      goal.map((size) => (size === -1 ? rest : size)),
    );
  },

  Squeeze(node) {
    const value = node.activation(0);
    const axes = node.numbersAt('axes', 1)?.map((axis) => axisOf(node, axis, value.shape.length));
    const shape = value.shape.filter((size, axis) =>
      axes === undefined ? axis === 0 || size !== 1 : !axes.includes(axis),
    );
    return reshapeActivation(node, value, shape);
  },

  Unsqueeze(node) {
    const value = node.activation(0);
    const given = node.numbersAt('axes', 1) ?? node.refuse('it has no axes');
    const rank = value.shape.length + given.length;
    const axes = given.map((axis) => axisOf(node, axis, rank));
    const left = [...value.shape];
    const shape = Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? 1 : left.shift()!));
    return reshapeActivation(node, value, shape);
  },

  Transpose(node) {
    const value = node.activation(0);
    const permutation = node.numbers('perm') ?? value.shape.map((_, axis) => value.shape.length - 1 - axis);
    if (permutation[0] !== 0 || permutation.length !== value.shape.length) node.refuse('it moves the batch');
    return {
      ...value,
      shape: permutation.map((axis) => value.shape[axis]),
      order: value.order.map((axis) => permutation.indexOf(axis)),
    };
  },

  Concat(node) {
    const values = node.inputs.map((_, index) => node.activation(index));
    const [first] = values;
    const axis = axisOf(node, node.number('axis', 1), first.shape.length);
    if (axis === 0) node.refuse('it joins along the batch');
    const order = [...first.order.filter((other) => other !== axis), axis];
    const inputs = values.map((value) => node.builder.arrange(node.name, value, order));
    const shape = first.shape.map((size, other) =>
      other === axis ? values.reduce((total, value) => total + value.shape[axis], 0) : size,
    );
    const joined = node.builder.add(
      node.name,
      { kind: 'concat' },
      inputs.map((input) => input.node),
    );
    return { node: joined, shape, order };
  },

  Pad(node) {
    const input = node.maps(0);
    const mode = node.text('mode', 'constant');
    const pads = node.numbersAt('pads', 1) ?? node.numbers('paddings') ?? node.refuse('it has no pads');
    const axes = node.optionalConstant(3)?.values;
    if (axes !== undefined) node.refuse('it names axes');
    const fill = node.optionalConstant(2)?.values[0] ?? node.number('value', 0);
    if (pads.length !== 8 || [0, 1, 4, 5].some((index) => pads[index] !== 0)) node.refuse('it pads no maps');
    if (pads.every((size) => size === 0)) return input;
    if (mode !== 'constant' || fill !== 0) node.refuse(`it pads by ${mode === 'constant' ? fill : mode}`);
    if (pads.some((size) => size < 0)) node.refuse('it crops');
    const [, , top, left, , , bottom, right] = pads;
    const [batch, channels, height, width] = input.shape;
    const fields = { kind: 'pad2d', padding: { top, bottom, left, right } } as const;
    return {
      ...input,
      shape: [batch, channels, height + top + bottom, width + left + right],
      node: node.builder.add(node.name, fields, [input.node]),
    };
  },

  Resize: (node) => resize(node, node.opset < 11 ? 1 : 2, 3),
  Upsample: (node) => resize(node, 1, -1),
};

function resize(node: OperatorNode, scalesInput: number, sizesInput: number): Activation {
  const input = node.maps(0);
  if (node.text('mode', 'nearest') !== 'nearest') node.refuse(`it resizes by ${node.text('mode', '')}`);
  const sizes = sizesInput < 0 ? undefined : node.optionalConstant(sizesInput)?.values;
  const scales = node.numbers('scales') ?? node.optionalConstant(scalesInput)?.values ?? [];
  const factors = [...(sizes?.length ? sizes.map((size, axis) => size / input.shape[axis]) : scales)];
  const isWhole = factors.length === 4 && factors.every((factor) => Number.isInteger(factor) && factor >= 1);
  if (!isWhole || factors[0] !== 1 || factors[1] !== 1)
    return node.refuse(
      `only whole factors of height and width are supported: current factors are [${factors.join(', ')}]`,
    );
  const [, , rows, columns] = factors;
  if (node.opset >= 11 && !repeatsPixels(node, Math.max(rows, columns))) node.refuse('it does not repeat pixels');
  if (rows * columns === 1) return input;
  const [batch, channels, height, width] = input.shape;
  return {
    ...input,
    shape: [batch, channels, height * rows, width * columns],
    node: node.builder.add(node.name, { kind: 'upsampleNearest2d', factors: [rows, columns] }, [input.node]),
  };
}

/** Whether the nearest pixel is the one that lies there before everything becomes `factor` times as large. */
function repeatsPixels(node: OperatorNode, factor: number): boolean {
  const positions = node.text('coordinate_transformation_mode', 'half_pixel');
  const rounding = node.text('nearest_mode', 'round_prefer_floor');
  if (positions === 'asymmetric') return rounding === 'floor' || (rounding === 'round_prefer_floor' && factor <= 2);
  if (positions === 'tf_half_pixel_for_nn') return rounding === 'floor';
  return positions.includes('half_pixel') && rounding.startsWith('round');
}
