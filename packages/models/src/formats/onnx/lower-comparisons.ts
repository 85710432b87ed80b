import { combine, scaleBy } from './broadcast.ts';
import { BOOL, broadcastConstant, broadcastShape, type Constant, FLOAT } from './constant.ts';
import { type Activation, FAR, isActivation, type TraceValue } from './graph-builder.ts';
import { scalar } from './lower-arithmetic.ts';
import type { Lowering, Lowerings, OperatorNode } from './operator-node.ts';

/** A power of two, by which a difference of floats is multiplied without rounding: whatever is above 0 is above 1 then. */
const STEEPNESS = 2 ** 100;

/** 1 where a value is above another, 0 elsewhere. It has no slope. */
function isAbove(node: OperatorNode, value: TraceValue, other: TraceValue): Activation {
  const difference = subtract(node, value, other);
  const steep = scaleBy(node, difference, scalar(STEEPNESS));
  return node.builder.map(node.name, steep, { kind: 'clip', minimum: 0, maximum: 1 });
}

/** 1 where a value is not 0: the same, where it is a truth. */
export function isThere(node: OperatorNode): Activation {
  return isAbove(
    node,
    node.builder.map(node.name, node.activation(0), { kind: 'activation', function: 'abs' }),
    scalar(0),
  );
}

function subtract(node: OperatorNode, value: TraceValue, other: TraceValue): Activation {
  const single = (constant: TraceValue): number | undefined =>
    !isActivation(constant) && constant.values.length === 1 ? constant.values[0] : undefined;
  const [first, second] = [single(value), single(other)];
  if (isActivation(value) && second === 0) return value;
  if (isActivation(value) && second !== undefined) return scaleBy(node, value, undefined, scalar(-second));
  if (isActivation(other) && first !== undefined) return scaleBy(node, other, scalar(-1), scalar(first));
  return combine(node, 'subtract', value, other);
}

/** 1 in place of 0, and 0 in place of 1. */
function negate(node: OperatorNode, truth: Activation): Activation {
  return scaleBy(node, truth, scalar(-1), scalar(1));
}

/** A value where a truth is 1, and 0 where it is 0; infinite values are as far as matters. */
function keepWhere(node: OperatorNode, truth: TraceValue, value: TraceValue): TraceValue {
  if (!isActivation(value)) {
    const values = value.values.map((entry) => Math.min(FAR, Math.max(-FAR, entry)));
    const finite: Constant = { ...value, values };
    if (isActivation(truth)) {
      return values.length === 1 ? scaleBy(node, truth, scalar(values[0])) : combine(node, 'multiply', truth, finite);
    }
    const shape = broadcastShape([truth.shape, value.shape]) ?? node.refuse('its shapes do not broadcast');
    node.sizeToMake(shape);
    const kept = broadcastConstant(truth, shape).values;
    const wide = broadcastConstant(finite, shape).values;
    return {
      shape,
      dataType: FLOAT,
      values: Float32Array.from(wide, (entry, index) => (kept[index] === 0 ? 0 : entry)),
    };
  }
  // What is not chosen may be infinite, and 0 times that is no number.
  const finite = node.builder.map(node.name, value, { kind: 'clip', minimum: -FAR, maximum: FAR });
  return combine(node, 'multiply', finite, maskOf(node, truth));
}

/** A truth as a node, which is not trained. */
function maskOf(node: OperatorNode, truth: TraceValue): Activation {
  if (isActivation(truth)) return truth;
  const values = Float32Array.from(truth.values, (value) => Number(value !== 0));
  const { usualOrder } = node.builder;
  return node.builder.constant(
    `${node.name}.mask`,
    { ...truth, dataType: FLOAT, values },
    usualOrder(truth.shape),
    false,
  );
}

const comparing =
  (compare: (node: OperatorNode, left: TraceValue, right: TraceValue) => Activation): Lowering =>
  (node) =>
    compare(node, node.input(0), node.input(1));

export const lowerComparisons: Lowerings = {
  Greater: comparing(isAbove),
  Less: comparing((node, left, right) => isAbove(node, right, left)),
  GreaterOrEqual: comparing((node, left, right) => negate(node, isAbove(node, right, left))),
  LessOrEqual: comparing((node, left, right) => negate(node, isAbove(node, left, right))),
  Not: (node) => negate(node, node.activation(0)),
  And: comparing((node, left, right) => combine(node, 'multiply', left, right)),
  Or: comparing((node, left, right) => combine(node, 'maximum', left, right)),

  Where(node) {
    const truth = node.input(0);
    const opposite: TraceValue = isActivation(truth)
      ? negate(node, truth)
      : { ...truth, dataType: BOOL, values: truth.values.map((value) => Number(value === 0)) };
    const [kept, other] = [keepWhere(node, truth, node.input(1)), keepWhere(node, opposite, node.input(2))];
    const isNothing = (value: TraceValue): boolean =>
      !isActivation(value) && value.values.length > 0 && value.values.every((entry) => entry === 0);
    for (const [value, rest] of [
      [kept, other],
      [other, kept],
    ]) {
      if (!isActivation(value) || !isNothing(rest)) continue;
      if (broadcastShape([value.shape, rest.shape])?.join() === value.shape.join()) return value;
    }
    return combine(node, 'add', kept, other);
  },

  /** What lies on one side of a diagonal. */
  Trilu(node) {
    const value = node.activation(0);
    const rank = value.shape.length;
    if (rank < 2 || (rank === 2 && node.builder.hasBatch)) node.refuse('it reads no matrices');
    const [rows, columns] = value.shape.slice(-2);
    const diagonal = node.optionalConstant(1)?.values[0] ?? 0;
    const isUpper = node.number('upper', 1) !== 0;
    const values = Float32Array.from({ length: node.sizeToMake([rows, columns]) }, (_, index) => {
      const distance = (index % columns) - Math.floor(index / columns);
      return Number(isUpper ? distance >= diagonal : distance <= diagonal);
    });
    return keepWhere(node, { shape: [rows, columns], dataType: BOOL, values }, value);
  },

  ThresholdedRelu(node) {
    const value = node.activation(0);
    return combine(node, 'multiply', value, isAbove(node, value, scalar(node.number('alpha', 1))));
  },

  Sign(node) {
    const value = node.activation(0);
    return combine(node, 'subtract', isAbove(node, value, scalar(0)), isAbove(node, scalar(0), value));
  },

  Shrink(node) {
    const value = node.activation(0);
    const [limit, bias] = [node.number('lambd', 0.5), node.number('bias', 0)];
    const side = (truth: Activation, shift: number): Activation =>
      combine(node, 'multiply', scaleBy(node, value, undefined, scalar(shift)), truth);
    const [above, below] = [isAbove(node, value, scalar(limit)), isAbove(node, scalar(-limit), value)];
    return combine(node, 'add', side(above, -bias), side(below, bias));
  },
};
