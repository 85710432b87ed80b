import { broadcastShape, type Constant } from './constant.ts';
import { type Activation, isActivation, type TraceValue } from './graph-builder.ts';
import type { Lowerings, OperatorNode } from './operator-node.ts';

/** factor x input + summand, both given as constants that broadcast to the input's shape. */
export function scaleBy(node: OperatorNode, value: Activation, factor?: Constant, summand?: Constant): Activation {
  const used = [factor, summand].filter((constant) => constant !== undefined);
  // The axis along which the constants change.
  let axis: number | undefined;
  for (const { shape } of used) {
    const rank = value.shape.length;
    const result = broadcastShape([value.shape, shape]);
    if (result === undefined || result.length !== rank || result.some((size, index) => size !== value.shape[index]))
      node.refuse(`its constant of shape [${shape.join(', ')}] makes more of [${value.shape.join(', ')}]`);
    for (const [index, size] of shape.entries()) {
      const along = rank - shape.length + index;
      if (size === 1) continue;
      if (along === 0 || (axis !== undefined && axis !== along))
        node.refuse(`its constant of shape [${shape.join(', ')}] changes along several axes`);
      axis = along;
    }
  }
  const list = (constant: Constant | undefined, otherwise: number): number[] => {
    const values = [...(constant?.values ?? [otherwise])];
    // As float32 has them.
    return values.map((number) => Math.fround(number));
  };
  const input =
    axis === undefined
      ? value
      : node.builder.arrange(node.name, value, [...value.order.filter((other) => other !== axis), axis]);
  return node.builder.map(node.name, input, { kind: 'affine', factor: list(factor, 1), summand: list(summand, 0) });
}

/** A constant with each value changed. */
export function mapConstant(constant: Constant, change: (value: number) => number): Constant {
  return { ...constant, values: constant.values.map(change) };
}

/** Two activations element by element. */
function combine(node: OperatorNode, kind: 'add' | 'multiply', left: Activation, right: Activation): Activation {
  const shape = broadcastShape([left.shape, right.shape]);
  if (shape === undefined)
    return node.refuse(`[${left.shape.join(', ')}] and [${right.shape.join(', ')}] do not broadcast`);
  const rank = Math.max(left.shape.length, right.shape.length);
  if (left.shape.length !== rank || right.shape.length !== rank)
    node.refuse(`[${left.shape.join(', ')}] and [${right.shape.join(', ')}] differ in rank`);
  const aligned = node.builder.arrange(node.name, right, left.order);
  return { shape, order: left.order, node: node.builder.add(node.name, { kind }, [left.node, aligned.node]) };
}

function sum(node: OperatorNode, left: TraceValue, right: TraceValue): Activation {
  if (isActivation(left))
    return isActivation(right) ? combine(node, 'add', left, right) : scaleBy(node, left, undefined, right);
  return isActivation(right) ? scaleBy(node, right, undefined, left) : node.refuse('it reads no activation');
}

const negate = (value: number): number => -value;
const scalar = (value: number): Constant => ({ shape: [], values: Float32Array.of(value), dataType: 1 });

export const lowerArithmetic: Lowerings = {
  Add: (node) => sum(node, node.input(0), node.input(1)),

  Sum: (node) => node.inputs.map((_, index) => node.input(index)).reduce((total, next) => sum(node, total, next)),

  Sub(node) {
    const [left, right] = [node.input(0), node.input(1)];
    if (isActivation(right)) {
      const negated = scaleBy(node, right, scalar(-1), isActivation(left) ? undefined : left);
      return isActivation(left) ? combine(node, 'add', left, negated) : negated;
    }
    return sum(node, left, mapConstant(right, negate));
  },

  Mul(node) {
    const [left, right] = [node.input(0), node.input(1)];
    if (isActivation(left))
      return isActivation(right) ? combine(node, 'multiply', left, right) : scaleBy(node, left, right);
    return isActivation(right) ? scaleBy(node, right, left) : node.refuse('it reads no activation');
  },

  Div(node) {
    const right = node.constant(1);
    return scaleBy(
      node,
      node.activation(0),
      mapConstant(right, (value) => 1 / value),
    );
  },

  Neg: (node) => scaleBy(node, node.activation(0), scalar(-1)),

  Pow(node) {
    const value = node.activation(0);
    const { values } = node.constant(1);
    if (values.length !== 1 || ![1, 2, 3].includes(values[0])) node.refuse('only the powers 1, 2 and 3 are supported');
    let result = value;
    for (let power = 1; power < values[0]; power++) result = combine(node, 'multiply', result, value);
    return result;
  },
};
