import { borderedEntries, mapAxis, takeEntries } from './axis-maps.ts';
import { broadcastConstant, broadcastShape, type Constant, isFloatType, sizeOf, stridesOf, view } from './constant.ts';
import { parseEinsum } from './parse-einsum.ts';
import type { OperatorNode } from './operator-node.ts';
import { readBorders } from './read-borders.ts';
import { readParts } from './read-parts.ts';
import { readResizing } from './read-resizing.ts';

/** Products of two numbers that are taken as a file is read: a fraction of a second. What needs more is computed with the pictures. */
const MOST_PRODUCTS = 2 ** 26;
/** Of Einsum, which looks for each of them. */
const MOST_TERMS = 2 ** 23;

type WeightFold = (node: OperatorNode) => Constant | readonly Constant[] | undefined;

/** Of the same type and shape, with other values. */
function withValues(constant: Constant, values: Float64Array): Constant {
  return { ...constant, values: isFloatType(constant.dataType) ? Float32Array.from(values) : values };
}

/** A row of `[outer, length, inner]` for each outer and inner place. */
function alongRows(constant: Constant, axis: number, length: number, change: (row: Float64Array) => void): Constant {
  const inner = sizeOf(constant.shape.slice(axis)) / length;
  const values = Float64Array.from(constant.values);
  const row = new Float64Array(length);
  for (let start = 0; start < values.length; start += length * inner) {
    for (let offset = start; offset < start + inner; offset++) {
      for (let index = 0; index < length; index++) row[index] = values[offset + index * inner];
      change(row);
      for (let index = 0; index < length; index++) values[offset + index * inner] = row[index];
    }
  }
  return withValues(constant, values);
}

const softmax =
  (logarithm: boolean): WeightFold =>
  (node) => {
    const input = node.constant(0);
    const axis = node.axis(node.number('axis', node.opset < 13 ? 1 : -1), input.shape.length);
    const length = node.opset < 13 ? sizeOf(input.shape.slice(axis)) : input.shape[axis];
    if (length === 0) return input;
    return alongRows(input, axis, length, (row) => {
      const most = row.reduce((largest, value) => Math.max(largest, value), -Infinity);
      const total = row.reduce((sum, value) => sum + Math.exp(value - most), 0);
      for (const [index, value] of row.entries())
        row[index] = logarithm ? value - most - Math.log(total) : Math.exp(value - most) / total;
    });
  };

/** A sum of products, by which letter each axis goes. */
function contract(node: OperatorNode, operands: readonly Constant[], labels: readonly string[][], output: string[]) {
  const sizes = new Map<string, number>();
  for (const [index, { shape }] of operands.entries()) {
    if (labels[index].length !== shape.length) node.refuse('its equation does not fit its inputs');
    for (const [axis, label] of labels[index].entries()) {
      if ((sizes.get(label) ?? shape[axis]) !== shape[axis]) node.refuse(`its sizes of ${label} differ`);
      sizes.set(label, shape[axis]);
    }
  }
  const summed = [...sizes.keys()].filter((label) => !output.includes(label));
  const order = [...output, ...summed];
  const shape = order.map((label) => sizes.get(label)!);
  const made = shape.slice(0, output.length);
  node.sizeToMake(made);
  if (!(sizeOf(shape) <= MOST_TERMS)) return undefined;
  const values = new Float64Array(sizeOf(made));
  const steps = operands.map((operand, index) => {
    const strides = stridesOf(operand.shape);
    return order.map((label) =>
      labels[index].reduce((sum, other, axis) => (other === label ? sum + strides[axis] : sum), 0),
    );
  });
  const data = operands.map((operand) => operand.values);
  const count = sizeOf(shape.slice(output.length));
  const position = Array<number>(order.length).fill(0);
  const offsets = operands.map(() => 0);
  for (let index = 0; index < values.length * count; index++) {
    let product = 1;
    for (let operand = 0; operand < data.length; operand++) product *= data[operand][offsets[operand]];
    values[Math.floor(index / count)] += product;
    for (let axis = order.length - 1; axis >= 0; axis--) {
      position[axis]++;
      for (let operand = 0; operand < data.length; operand++) offsets[operand] += steps[operand][axis];
      if (position[axis] < shape[axis]) break;
      for (let operand = 0; operand < data.length; operand++) offsets[operand] -= steps[operand][axis] * shape[axis];
      position[axis] = 0;
    }
  }
  return withValues({ ...operands[0], shape: made }, values);
}

function multiply(node: OperatorNode, left: Constant, right: Constant): Constant | undefined {
  const [a, b] = [left.shape, right.shape];
  if (a.length === 1 || b.length === 1) {
    const product = multiply(
      node,
      a.length === 1 ? { ...left, shape: [1, ...a] } : left,
      b.length === 1 ? { ...right, shape: [...b, 1] } : right,
    );
    if (product === undefined) return undefined;
    const isDropped = (axis: number) => (axis === -2 && a.length === 1) || (axis === -1 && b.length === 1);
    const shape = product.shape.filter((_, axis) => !isDropped(axis - product.shape.length));
    return { ...product, shape };
  }
  if (a.length < 2 || b.length < 2 || a.at(-1) !== b.at(-2)) return undefined;
  const outer = broadcastShape([a.slice(0, -2), b.slice(0, -2)]);
  if (outer === undefined) return undefined;
  const [rows, inner, columns] = [...a.slice(-2), b[b.length - 1]];
  const shape = [...outer, rows, columns];
  if (sizeOf(shape) * inner > MOST_PRODUCTS) return undefined;
  node.sizeToMake(shape);
  const [first, second] = [left, right].map((value) => {
    const wide = [...outer, ...value.shape.slice(-2)];
    node.sizeToMake(wide);
    return broadcastConstant(value, wide).values;
  });
  const values = new Float64Array(sizeOf(shape));
  for (let row = 0; row < sizeOf(outer) * rows; row++) {
    const matrix = Math.floor(row / rows) * inner * columns;
    for (let index = 0; index < inner; index++) {
      const factor = first[row * inner + index];
      const start = matrix + index * columns;
      for (let column = 0; column < columns; column++)
        values[row * columns + column] += factor * second[start + column];
    }
  }
  return withValues({ ...left, shape }, values);
}

function transposed(node: OperatorNode, constant: Constant, attribute: string): Constant {
  const { shape } = constant;
  if (shape.length !== 2) node.refuse('it reads no matrices');
  if (node.number(attribute, 0) === 0) return constant;
  return view(constant, shape.toReversed(), [1, shape[1]]);
}

/** Mean and variance over all axes but the second. */
function channelMoments({ shape, values }: Constant): [mean: Float64Array, variance: Float64Array] {
  const channels = shape[1] ?? 1;
  const inner = sizeOf(shape.slice(2));
  const count = values.length / channels;
  const [mean, variance] = [new Float64Array(channels), new Float64Array(channels)];
  const channelOf = (index: number) => Math.floor(index / inner) % channels;
  for (const [index, value] of values.entries()) mean[channelOf(index)] += value / count;
  for (const [index, value] of values.entries())
    variance[channelOf(index)] += (value - mean[channelOf(index)]) ** 2 / count;
  return [mean, variance];
}

/** Position embeddings that were made for pictures of another size. */
function resize(node: OperatorNode): Constant {
  const input = node.constant(0);
  const { axes, sharesOf } = readResizing(node, input.shape);
  const shape = [...input.shape];
  for (const { axis, to } of axes) shape[axis] = to;
  node.sizeToMake(shape);
  return axes.reduce((value, axis) => {
    const entries = sharesOf(axis);
    const shares = entries.reduce((total, { length }) => total + length, 0);
    if ((value.values.length / axis.from) * shares > MOST_PRODUCTS)
      node.refuse('it takes too many products of constants');
    return mapAxis(value, axis.axis, entries);
  }, input);
}

/**
 * Operators that exporters leave between weights and what reads them: weights that are normalised, merged, masked, cut or
 * repeated. Undefined where that is too much to compute at once.
 */
export const weightFolds: Readonly<Record<string, WeightFold>> = {
  Softmax: softmax(false),
  LogSoftmax: softmax(true),

  Clip(node) {
    const [low] = node.numbersAt('min', 1) ?? [-Infinity];
    const [high] = node.numbersAt('max', 2) ?? [Infinity];
    const input = node.constant(0);
    return { ...input, values: input.values.map((value) => Math.min(high, Math.max(low, value))) };
  },

  LeakyRelu(node) {
    const slope = node.number('alpha', 0.01);
    const input = node.constant(0);
    return { ...input, values: input.values.map((value) => (value < 0 ? slope * value : value)) };
  },

  MatMul: (node) => multiply(node, node.constant(0), node.constant(1)),

  Gemm(node) {
    const [left, right] = [transposed(node, node.constant(0), 'transA'), transposed(node, node.constant(1), 'transB')];
    const product = multiply(node, left, right);
    if (product === undefined) return undefined;
    const [alpha, beta] = [node.number('alpha', 1), node.number('beta', 1)];
    const given = node.optionalConstant(2);
    if (given !== undefined && broadcastShape([given.shape, product.shape])?.join() !== product.shape.join())
      node.refuse('its summand does not fit its product');
    const summand = given === undefined ? undefined : broadcastConstant(given, product.shape).values;
    return {
      ...product,
      values: product.values.map((value, index) => alpha * value + beta * (summand?.[index] ?? 0)),
    };
  },

  Einsum(node) {
    const operands = node.inputs.map((_, index) => node.constant(index));
    const { inputs, output } = parseEinsum(
      node,
      operands.map(({ shape }) => shape.length),
    );
    return contract(node, operands, inputs, output);
  },

  BatchNormalization(node) {
    const input = node.constant(0);
    const isTraining = node.number('training_mode', 0) !== 0;
    const [scale, offset, ...running] = [1, 2, 3, 4].map((index) => node.constant(index).values);
    // Of kernels that are standardised so, the statistics are their own.
    const [mean, variance] = isTraining ? channelMoments(input) : running;
    const inner = sizeOf(input.shape.slice(2));
    const channels = input.shape[1] ?? 1;
    if ([scale, offset, mean, variance].some((values) => values.length !== channels))
      node.refuse('its weights do not fit its channels');
    const epsilon = node.number('epsilon', 1e-5);
    const values = Float64Array.from(input.values, (value, index) => {
      const channel = Math.floor(index / inner) % channels;
      return ((value - mean[channel]) / Math.sqrt(variance[channel] + epsilon)) * scale[channel] + offset[channel];
    });
    return withValues(input, values);
  },

  Split(node) {
    const input = node.constant(0);
    const axis = node.axis(node.number('axis', 0), input.shape.length);
    return readParts(node, input.shape[axis]).map(({ begin, size }) =>
      mapAxis(input, axis, takeEntries(Array.from({ length: size }, (_, index) => begin + index))),
    );
  },

  Pad(node) {
    let value = node.constant(0);
    const { mode, fill, sides } = readBorders(node, value.shape.length);
    const wide = value.shape.map((size, axis) => {
      const [before, after] = sides.get(axis) ?? [0, 0];
      return size + before + after;
    });
    if (wide.some((size) => size < 0)) node.refuse('it makes an empty tensor');
    node.sizeToMake(wide);
    for (const [axis, [before, after]] of sides) {
      // What is cut off goes first.
      const begin = Math.max(0, -before);
      const length = value.shape[axis] - begin - Math.max(0, -after);
      if (length < 1) node.refuse('it makes an empty tensor');
      const entries = borderedEntries(mode, length, Math.max(0, before), Math.max(0, after));
      const kept = (entries ?? node.refuse('it mirrors more than there is')).map((entry) =>
        entry === undefined ? undefined : begin + entry,
      );
      const made = mapAxis(
        value,
        axis,
        kept.map((from) => (from === undefined ? [] : [{ from, share: 1 }])),
      );
      if (fill !== 0) {
        const inner = sizeOf(made.shape.slice(axis + 1));
        for (let index = 0; index < made.values.length; index++)
          if (kept[Math.floor(index / inner) % kept.length] === undefined) made.values[index] = fill;
      }
      value = made;
    }
    return value;
  },

  Resize: resize,
  Upsample: resize,

  OneHot(node) {
    const [indices, depth, pair] = [0, 1, 2].map((index) => node.constant(index));
    const [length] = depth.values;
    const rank = indices.shape.length;
    const axis = node.axis(node.number('axis', -1), rank + 1);
    const shape = [...indices.shape.slice(0, axis), length, ...indices.shape.slice(axis)];
    const values = new Float64Array(node.sizeToMake(shape)).fill(pair.values[0]);
    const inner = sizeOf(indices.shape.slice(axis));
    for (const [place, given] of indices.values.entries()) {
      const index = given < 0 ? given + length : given;
      if (index >= 0 && index < length)
        values[(Math.floor(place / inner) * length + index) * inner + (place % inner)] = pair.values[1];
    }
    return withValues({ ...pair, shape }, values);
  },

  EyeLike(node) {
    const { shape, dataType } = node.constant(0);
    if (shape.length !== 2) node.refuse('it reads no matrix');
    const diagonal = node.number('k', 0);
    const values = Float64Array.from({ length: sizeOf(shape) }, (_, index) =>
      Number((index % shape[1]) - Math.floor(index / shape[1]) === diagonal),
    );
    return withValues({ shape, dataType: node.number('dtype', dataType), values }, values);
  },

  Trilu(node) {
    const input = node.constant(0);
    const [rows, columns] = input.shape.slice(-2);
    if (input.shape.length < 2) node.refuse('it reads no matrices');
    const diagonal = node.optionalConstant(1)?.values[0] ?? 0;
    const isUpper = node.number('upper', 1) !== 0;
    const values = input.values.map((value, index) => {
      const distance = (index % columns) - (Math.floor(index / columns) % rows);
      return (isUpper ? distance >= diagonal : distance <= diagonal) ? value : 0;
    });
    return { ...input, values };
  },

  /** 1 where the largest is, the first of several, and 0 elsewhere. */
  Hardmax(node) {
    const input = node.constant(0);
    const axis = node.axis(node.number('axis', node.opset < 13 ? 1 : -1), input.shape.length);
    const length = node.opset < 13 ? sizeOf(input.shape.slice(axis)) : input.shape[axis];
    if (length === 0) return input;
    return alongRows(input, axis, length, (row) => {
      const largest = row.indexOf(row.reduce((most, value) => Math.max(most, value), -Infinity));
      row.fill(0);
      row[largest] = 1;
    });
  },

  CumSum(node) {
    const input = node.constant(0);
    const axis = node.axis(node.constant(1).values[0], input.shape.length);
    const [leavesOut, isReverse] = [node.number('exclusive', 0) !== 0, node.number('reverse', 0) !== 0];
    const length = input.shape[axis];
    if (length === 0) return input;
    return alongRows(input, axis, length, (row) => {
      if (isReverse) row.reverse();
      let total = 0;
      for (const [index, value] of row.entries()) {
        row[index] = leavesOut ? total : total + value;
        total += value;
      }
      if (isReverse) row.reverse();
    });
  },
};
