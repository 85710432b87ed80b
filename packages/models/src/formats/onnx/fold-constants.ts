import {
  BOOL,
  broadcastConstant,
  broadcastShape,
  type Constant,
  INT64,
  integers,
  isFloatType,
  sizeOf,
  stridesOf,
  transposeConstant,
  view,
} from './constant.ts';
import { followsFromInput, markAsFollowing } from './follows-from-input.ts';
import { isActivation, type TraceValue } from './graph-builder.ts';
import { quantizationFolds } from './lower-quantization.ts';
import type { OperatorNode } from './operator-node.ts';
import { readSlices } from './read-slices.ts';
import { scatterFolds } from './scatter-folds.ts';
import { weightFolds } from './weight-folds.ts';

/** Undefined where a node had better be computed with the pictures. */
export type Fold = (node: OperatorNode) => Constant | readonly Constant[] | undefined;

/** Rounds as the type does. */
function typed(dataType: number, shape: readonly number[], values: Iterable<number>): Constant {
  return isFloatType(dataType) && dataType !== 11
    ? { shape, dataType, values: Float32Array.from(values) }
    : { shape, dataType, values: Float64Array.from(values) };
}

/** @param least Inputs that there must be. */
function elementwise(combine: (...values: number[]) => number, type?: number, least = combine.length): Fold {
  return (node) => {
    if (node.inputs.length < least) node.refuse(`input ${node.inputs.length} is missing`);
    const inputs = node.inputs.map((_, index) => node.constant(index));
    const shape = broadcastShape(inputs.map((input) => input.shape)) ?? node.refuse('its shapes do not broadcast');
    node.sizeToMake(shape);
    const wide = inputs.map((input) => broadcastConstant(input, shape).values);
    const values = Array.from({ length: sizeOf(shape) }, (_, index) => combine(...wide.map((list) => list[index])));
    return typed(type ?? inputs.at(-1)!.dataType, shape, values);
  };
}

const unary = (change: (value: number) => number): Fold => elementwise(change);

function castTo(input: Constant, type: number): Constant {
  const change = type === BOOL ? (value: number) => Number(value !== 0) : isFloatType(type) ? Number : Math.trunc;
  return typed(type, input.shape, Array.from(input.values, change));
}

const pass: Fold = (node) => node.constant(0);

function reshape(node: OperatorNode, shape: readonly number[]): Constant {
  const constant = node.constant(0);
  return sizeOf(shape) === constant.values.length
    ? { ...constant, shape }
    : node.refuse(`it makes [${shape.join(', ')}] of [${constant.shape.join(', ')}]`);
}

/** Reduces over the axes given by attribute or input. */
function reduce(
  start: number,
  combine: (total: number, value: number) => number,
  finish: (total: number, count: number) => number = Number,
): Fold {
  return (node) => {
    const input = node.constant(0);
    const rank = input.shape.length;
    const given = node.numbersAt('axes', 1) ?? [];
    // None are all, unless it says otherwise.
    const isEach = given.length === 0 && node.number('noop_with_empty_axes', 0) !== 0;
    const axes = given.length > 0 ? node.distinctAxes(given, rank) : isEach ? [] : input.shape.map((_, axis) => axis);
    const kept = input.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
    const sorted = transposeConstant(input, [...kept, ...axes]);
    const count = sizeOf(axes.map((axis) => input.shape[axis]));
    const values = Array.from({ length: input.values.length / count }, (_, index) => {
      let total = start;
      for (const value of sorted.values.subarray(index * count, (index + 1) * count)) total = combine(total, value);
      return finish(total, count);
    });
    const keepsAxes = node.number('keepdims', 1) !== 0;
    const shape = input.shape.flatMap((size, axis) => (axes.includes(axis) ? (keepsAxes ? [1] : []) : [size]));
    return typed(input.dataType, shape, values);
  };
}

const folds: Readonly<Record<string, Fold>> = {
  ...quantizationFolds,
  ...scatterFolds,
  ...weightFolds,
  Identity: pass,
  Dropout: pass,
  Add: elementwise((a, b) => a + b),
  Sub: elementwise((a, b) => a - b),
  Mul: elementwise((a, b) => a * b),
  Div(node) {
    const isFloat = isFloatType(node.constant(0).dataType);
    return elementwise((a, b) => (isFloat ? a / b : Math.trunc(a / b)))(node);
  },
  Mod: (node) => elementwise((a, b) => (node.number('fmod', 0) === 0 ? a - b * Math.floor(a / b) : a % b))(node),
  Pow(node) {
    // The exponent may be of another type.
    const { dataType } = node.constant(0);
    const isFloat = isFloatType(dataType);
    return elementwise((a, b) => (isFloat ? a ** b : Math.trunc(a ** b)), dataType)(node);
  },
  Min: elementwise(Math.min, undefined, 1),
  Max: elementwise(Math.max, undefined, 1),
  Equal: elementwise((a, b) => Number(a === b), BOOL),
  Greater: elementwise((a, b) => Number(a > b), BOOL),
  GreaterOrEqual: elementwise((a, b) => Number(a >= b), BOOL),
  Less: elementwise((a, b) => Number(a < b), BOOL),
  LessOrEqual: elementwise((a, b) => Number(a <= b), BOOL),
  Where: elementwise((condition, a, b) => (condition === 0 ? b : a)),
  And: elementwise((a, b) => Number(a !== 0 && b !== 0), BOOL),
  Or: elementwise((a, b) => Number(a !== 0 || b !== 0), BOOL),
  Not: elementwise((a) => Number(a === 0), BOOL),
  Neg: unary((value) => -value),
  Abs: unary(Math.abs),
  Sqrt: unary(Math.sqrt),
  Exp: unary(Math.exp),
  Log: unary(Math.log),
  Reciprocal: unary((value) => 1 / value),
  Floor: unary(Math.floor),
  Ceil: unary(Math.ceil),
  Sign: unary(Math.sign),
  Sin: unary(Math.sin),
  Cos: unary(Math.cos),
  Relu: unary((value) => Math.max(0, value)),
  Sigmoid: unary((value) => 1 / (1 + Math.exp(-value))),
  Tanh: unary(Math.tanh),
  Softplus: unary((value) => Math.max(0, value) + Math.log1p(Math.exp(-Math.abs(value)))),
  Round: unary((value) => (Math.abs(value % 1) === 0.5 ? 2 * Math.round(value / 2) : Math.round(value))),

  ReduceProd: reduce(1, (total, value) => total * value),
  ReduceSum: reduce(0, (total, value) => total + value),
  ReduceMean: reduce(
    0,
    (total, value) => total + value,
    (total, count) => total / count,
  ),
  ReduceL1: reduce(0, (total, value) => total + Math.abs(value)),
  ReduceL2: reduce(0, (total, value) => total + value ** 2, Math.sqrt),
  ReduceSumSquare: reduce(0, (total, value) => total + value ** 2),
  ReduceLogSum: reduce(0, (total, value) => total + value, Math.log),
  ReduceMax: reduce(-Infinity, Math.max),
  ReduceMin: reduce(Infinity, Math.min),

  CastLike: (node) => castTo(node.constant(0), node.constant(1).dataType),

  Cast(node) {
    return castTo(node.constant(0), node.number('to', 1));
  },

  ConstantOfShape(node) {
    const shape = [...node.constant(0).values];
    node.sizeToMake(shape);
    const value = node.tensor('value') ?? typed(1, [1], [0]);
    return typed(value.dataType, shape, Array<number>(sizeOf(shape)).fill(value.values[0] ?? 0));
  },

  Range(node) {
    const [start, limit, step] = [0, 1, 2].map((index) => node.constant(index).values[0]);
    const count = Math.max(0, Math.ceil((limit - start) / step));
    node.sizeToMake([count]);
    return typed(
      node.constant(0).dataType,
      [count],
      Array.from({ length: count }, (_, index) => start + index * step),
    );
  },

  Expand(node) {
    const input = node.constant(0);
    const shape =
      broadcastShape([input.shape, [...node.constant(1).values]]) ?? node.refuse('its shapes do not broadcast');
    node.sizeToMake(shape);
    return broadcastConstant(input, shape);
  },

  Reshape(node) {
    const input = node.constant(0);
    const goal = [...node.constant(1).values].map((size, axis) => (size === 0 ? (input.shape[axis] ?? 0) : size));
    const rest = input.values.length / sizeOf(goal.filter((size) => size !== -1));
    return reshape(
      node,
      goal.map((size) => (size === -1 ? rest : size)),
    );
  },

  Flatten(node) {
    const { shape } = node.constant(0);
    const axis = node.number('axis', 1);
    return reshape(node, [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))]);
  },

  Squeeze(node) {
    const { shape } = node.constant(0);
    const given = node.numbersAt('axes', 1);
    const axes = given === undefined ? undefined : node.distinctAxes(given, shape.length);
    return reshape(
      node,
      shape.filter((size, axis) => (axes === undefined ? size !== 1 : !axes.includes(axis))),
    );
  },

  Unsqueeze(node) {
    const left = [...node.constant(0).shape];
    const given = node.numbersAt('axes', 1) ?? node.refuse('it has no axes');
    const rank = left.length + given.length;
    const axes = node.distinctAxes(given, rank);
    return reshape(
      node,
      Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? 1 : left.shift()!)),
    );
  },

  Transpose(node) {
    const input = node.constant(0);
    return transposeConstant(input, node.permutation(input.shape.length));
  },

  Concat(node) {
    const inputs = node.inputs.map((_, index) => node.constant(index));
    const { shape, dataType } = inputs[0];
    const axis = node.axis(node.number('axis', 0), shape.length);
    const outer = sizeOf(shape.slice(0, axis));
    const values: number[] = [];
    for (let row = 0; row < outer; row++) {
      for (const input of inputs) {
        const size = input.values.length / outer;
        for (const value of input.values.subarray(row * size, (row + 1) * size)) values.push(value);
      }
    }
    const joined = inputs.reduce((total, input) => total + input.shape[axis], 0);
    return typed(
      dataType,
      shape.map((size, other) => (other === axis ? joined : size)),
      values,
    );
  },

  Gather(node) {
    const [input, indices] = [node.constant(0), node.constant(1)];
    const axis = node.axis(node.number('axis', 0), input.shape.length);
    const size = input.shape[axis];
    const outer = sizeOf(input.shape.slice(0, axis));
    const inner = sizeOf(input.shape.slice(axis + 1));
    const values: number[] = [];
    for (let row = 0; row < outer; row++) {
      for (const given of indices.values) {
        const index = node.axis(given, size);
        const start = (row * size + index) * inner;
        for (const value of input.values.subarray(start, start + inner)) values.push(value);
      }
    }
    return typed(
      input.dataType,
      [...input.shape.slice(0, axis), ...indices.shape, ...input.shape.slice(axis + 1)],
      values,
    );
  },

  Slice(node) {
    const input = node.constant(0);
    const strides = stridesOf(input.shape);
    const shape = [...input.shape];
    let offset = 0;
    for (const { axis, begin, count, step } of readSlices(node, input.shape)) {
      shape[axis] = count;
      offset += begin * strides[axis];
      strides[axis] *= step;
    }
    return view(input, shape, strides, offset);
  },
};

/** Whether an operator is computed as the file is read, where its inputs are known by then. */
export function isFolded(operator: string): boolean {
  return Object.hasOwn(folds, operator) || ['Shape', 'Size', 'Constant'].includes(operator);
}

/** Whether the value of a node is known as the file is read, and which it is: undefined where it must be computed. */
export function foldConstants(node: OperatorNode): readonly TraceValue[] | undefined {
  const folded = computeConstants(node);
  const readsShape = (node.operator === 'Shape' || node.operator === 'Size') && isActivation(node.inputs[0]);
  if (readsShape || node.inputs.some(followsFromInput)) for (const constant of folded ?? []) markAsFollowing(constant);
  return folded;
}

function computeConstants(node: OperatorNode): readonly TraceValue[] | undefined {
  const [first] = node.inputs;
  if (node.operator === 'Shape' && first !== undefined) {
    const end = node.number('end', first.shape.length);
    return [integers(first.shape.slice(node.number('start', 0), end))];
  }
  if (node.operator === 'Size' && first !== undefined) return [integers([sizeOf(first.shape)], [])];
  if (node.operator === 'Constant') return [constantOf(node)];
  if (!Object.hasOwn(folds, node.operator) || node.inputs.some(isActivation)) return undefined;
  // Each of them makes something of its first input.
  if (first === undefined) node.refuse('input 0 is missing');
  const folded = folds[node.operator](node);
  return folded === undefined || Array.isArray(folded) ? folded : [folded as Constant];
}

function constantOf(node: OperatorNode): Constant {
  if (node.has('value_float')) return typed(1, [], [node.number('value_float', 0)]);
  if (node.has('value_int')) return integers([node.number('value_int', 0)], []);
  const floats = node.numbers('value_floats');
  if (floats !== undefined) return typed(1, [floats.length], floats);
  const ints = node.numbers('value_ints');
  if (ints !== undefined) return typed(INT64, [ints.length], ints);
  return node.tensor('value') ?? node.refuse('it has no value');
}
