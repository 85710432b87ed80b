import { followsFromInput } from './follows-from-input.ts';
import { combine, type CombiningKind, expand, isSimple, scaleBy } from './broadcast.ts';
import type { Constant } from './constant.ts';
import { type Activation, isActivation, type NodeFields, type TraceValue } from './graph-builder.ts';
import type { Lowering, Lowerings, LoweringSite, OperatorNode } from './operator-node.ts';

/** A constant with each value changed. */
function mapConstant(constant: Constant, change: (value: number) => number): Constant {
  return { ...constant, values: constant.values.map(change) };
}

const negate = (value: number): number => -value;
const invert = (value: number): number => 1 / value;
export const scalar = (value: number): Constant => ({ shape: [], values: Float32Array.of(value), dataType: 1 });

function sum(node: OperatorNode, left: TraceValue, right: TraceValue): Activation {
  if (isActivation(left) && !isActivation(right) && isSimple(left, right)) return scaleBy(node, left, undefined, right);
  if (isActivation(right) && !isActivation(left) && isSimple(right, left)) return scaleBy(node, right, undefined, left);
  return combine(node, 'add', left, right);
}

function extreme(node: OperatorNode, kind: 'maximum' | 'minimum', left: TraceValue, right: TraceValue): Activation {
  const [value, bound] = isActivation(left) ? [left, right] : [right as Activation, left];
  if (!isActivation(bound) && bound.values.length === 1 && isSimple(value, bound)) {
    const [limit] = bound.values;
    return limitTo(node, value, kind === 'maximum' ? limit : -Infinity, kind === 'minimum' ? limit : Infinity);
  }
  return combine(node, kind, left, right);
}

/** All inputs, activations first, by pairs. */
function fold(node: OperatorNode, pair: (left: TraceValue, right: TraceValue) => Activation): TraceValue {
  const inputs = node.inputs.map((_, index) => node.input(index));
  inputs.sort((a, b) => Number(isActivation(b)) - Number(isActivation(a)));
  return inputs.reduce((total, next) => pair(total, next));
}

/** Bounds beyond what a float32 holds bound nothing. */
const LARGEST_FLOAT32 = 3.4028234e38;

/** Limits to low..high; the upper bound wins where they cross. */
export function limitTo(node: LoweringSite, input: Activation, low: number, high: number): Activation {
  const { builder, name } = node;
  const minimum = low <= -LARGEST_FLOAT32 ? undefined : low;
  const maximum = high >= LARGEST_FLOAT32 ? undefined : high;
  if (minimum === undefined && maximum === undefined) return input;
  if (minimum !== undefined && maximum !== undefined && minimum >= maximum)
    return builder.map(name, input, { kind: 'affine', factor: [0], summand: [maximum] });
  if (minimum === 0 && maximum === undefined) return builder.map(name, input, { kind: 'activation', function: 'relu' });
  if (minimum === 0 && maximum === 6) return builder.map(name, input, { kind: 'activation', function: 'relu6' });
  const fields: NodeFields = {
    kind: 'clip',
    ...(minimum !== undefined && { minimum }),
    ...(maximum !== undefined && { maximum }),
  };
  return builder.map(name, input, fields);
}

/** What can't be told from 0 by the digits of float32. */
const NOTHING = 1e-37;

/** Functions that give nothing below 0. */
const positive: ReadonlySet<string> = new Set([
  'relu',
  'relu6',
  'sigmoid',
  'hardSigmoid',
  'exp',
  'abs',
  'softplus',
  'softmax',
]);

/** Whether values are >= 0, as far as what makes them says. */
function isPositive(node: OperatorNode, value: TraceValue): boolean {
  if (!isActivation(value)) return value.values.every((entry) => entry >= 0);
  const made = node.builder.find(value.node);
  if (made?.kind === 'activation') return positive.has(made.function);
  return made?.kind === 'clip' && (made.minimum ?? -1) >= 0;
}

/** Each value to a power of its own, e^(exponent log base): of whole powers the base must be known to be >= 0. */
function powerOf(node: OperatorNode, base: TraceValue, exponent: TraceValue): Activation {
  const { builder, name } = node;
  const isBroken = !isActivation(exponent) && !exponent.values.some(Number.isInteger);
  if (!isBroken && !isPositive(node, base))
    node.refuse(isActivation(exponent) ? 'its exponent is computed' : 'its exponents differ');
  const logarithm: TraceValue = isActivation(base)
    ? builder.map(name, limitTo(node, base, NOTHING, Infinity), { kind: 'activation', function: 'log' })
    : mapConstant(base, (entry) => Math.log(Math.max(entry, NOTHING)));
  const scaled =
    isActivation(logarithm) && !isActivation(exponent) && isSimple(logarithm, exponent)
      ? scaleBy(node, logarithm, exponent)
      : combine(node, 'multiply', logarithm, exponent);
  return builder.map(name, scaled, { kind: 'activation', function: 'exp' });
}

const combining =
  (kind: CombiningKind): Lowering =>
  (node) =>
    combine(node, kind, node.input(0), node.input(1));

export const lowerArithmetic: Lowerings = {
  Add: (node) => sum(node, node.input(0), node.input(1)),
  Sum: (node) => fold(node, (left, right) => sum(node, left, right)),
  Max: (node) => fold(node, (left, right) => extreme(node, 'maximum', left, right)),
  Min: (node) => fold(node, (left, right) => extreme(node, 'minimum', left, right)),

  Mean(node) {
    const total = fold(node, (left, right) => sum(node, left, right));
    return scaleBy(node, total as Activation, scalar(1 / node.inputs.length));
  },

  Sub(node) {
    const [left, right] = [node.input(0), node.input(1)];
    if (isActivation(left) && !isActivation(right)) return sum(node, left, mapConstant(right, negate));
    if (isActivation(right) && !isActivation(left) && isSimple(right, left))
      return scaleBy(node, right, scalar(-1), left);
    return combining('subtract')(node);
  },

  Mul(node) {
    const [left, right] = [node.input(0), node.input(1)];
    if (isActivation(left) && !isActivation(right) && isSimple(left, right)) return scaleBy(node, left, right);
    if (isActivation(right) && !isActivation(left) && isSimple(right, left)) return scaleBy(node, right, left);
    return combining('multiply')(node);
  },

  Div(node) {
    const [left, right] = [node.input(0), node.input(1)];
    if (isActivation(left) && !isActivation(right) && isSimple(left, right))
      return scaleBy(node, left, mapConstant(right, invert));
    if (isActivation(right) && !isActivation(left) && isSimple(right, left))
      return scaleBy(node, node.builder.map(node.name, right, { kind: 'power', exponent: -1 }), left);
    return combining('divide')(node);
  },

  Neg: (node) => scaleBy(node, node.activation(0), scalar(-1)),
  Reciprocal: (node) => node.builder.map(node.name, node.activation(0), { kind: 'power', exponent: -1 }),

  Pow(node) {
    const { builder, name } = node;
    const [base, exponent] = [node.input(0), node.input(1)];
    if (isActivation(exponent)) {
      if (isActivation(base) || base.values.length !== 1) return powerOf(node, base, exponent);
      if (!(base.values[0] > 0)) return node.refuse('its exponent is computed');
      const scaled = scaleBy(node, exponent, scalar(Math.log(base.values[0])));
      return builder.map(name, scaled, { kind: 'activation', function: 'exp' });
    }
    const value = node.activation(0);
    const [power] = exponent.values;
    if (exponent.values.some((other) => other !== power)) return powerOf(node, value, exponent);
    if (!isSimple(value, { ...exponent, shape: [] })) return node.refuse('its exponents differ');
    if (power === 0) return builder.map(name, value, { kind: 'affine', factor: [0], summand: [1] });
    const raised = builder.map(name, value, { kind: 'power', exponent: power });
    return expand(node, raised, exponent.shape);
  },

  Expand: (node) => expand(node, node.activation(0), [...node.constant(1).values], followsFromInput(node.inputs[1])),
};
