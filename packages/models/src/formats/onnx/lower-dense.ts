import { combine, expand, isSimple, raiseRank, scaleBy } from './broadcast.ts';
import { broadcastConstant, broadcastShape, type Constant, sizeOf, transposeConstant } from './constant.ts';
import { type Activation, isActivation, type TraceValue } from './graph-builder.ts';
import { scalar } from './lower-arithmetic.ts';
import type { Lowerings, OperatorNode } from './operator-node.ts';
import { reshapeActivation } from './reshape-activation.ts';

/**
 * The product of a matrix with each row along an axis: a dense layer.
 *
 * @param kernel `[inputs, outputs]`.
 */
function multiplyAlong(
  node: OperatorNode,
  value: Activation,
  axis: number,
  kernel: Constant,
  bias?: Constant,
): Activation {
  const { builder, name } = node;
  const [size, units] = kernel.shape;
  if (value.shape[axis] !== size) node.refuse(`its sizes ${value.shape[axis]} and ${size} differ`);
  const order = [...value.order.filter((other) => other !== axis), axis];
  const input = builder.arrange(name, value, order);
  const useBias = bias !== undefined;
  const weights = { kernel: weightOf(kernel), ...(useBias && { bias: weightOf(bias) }) };
  const made = builder.add(name, { kind: 'dense', units, useBias }, [input.node], weights);
  return { shape: value.shape.map((length, index) => (index === axis ? units : length)), order, node: made };
}

function weightOf({ shape, values }: Constant) {
  return { shape: [...shape], data: values instanceof Float32Array ? values : Float32Array.from(values) };
}

function scaled(constant: Constant, factor: number): Constant {
  return factor === 1 ? constant : { ...constant, values: constant.values.map((value) => value * factor) };
}

/** `[..., rows, inner]` x `[..., inner, columns]`, at least one of them computed. */
export function multiplyMatrices(node: OperatorNode, left: TraceValue, right: TraceValue): Activation {
  if (left.shape.length === 1) {
    const product = multiplyMatrices(node, raiseRank(left, 2), right);
    return reshapeActivation(node, product, product.shape.toSpliced(-2, 1));
  }
  if (right.shape.length === 1) {
    const column = isActivation(right)
      ? reshapeActivation(node, right, [...right.shape, 1])
      : { ...right, shape: [...right.shape, 1] };
    const product = multiplyMatrices(node, left, column);
    return reshapeActivation(node, product, product.shape.slice(0, -1));
  }
  const rank = Math.max(left.shape.length, right.shape.length);
  if (isActivation(left) && !isActivation(right) && sizeOf(right.shape.slice(0, -2)) === 1) {
    const matrix = { ...right, shape: right.shape.slice(-2) };
    return multiplyAlong(node, raiseRank(left, rank), rank - 1, matrix);
  }
  if (isActivation(right) && !isActivation(left) && sizeOf(left.shape.slice(0, -2)) === 1) {
    const matrix = transposeConstant({ ...left, shape: left.shape.slice(-2) }, [1, 0]);
    return multiplyAlong(node, raiseRank(right, rank), rank - 2, matrix);
  }
  const [a, b] = [left, right].map((value) => raiseRank(value, rank));
  const [rows, inner, columns] = [a.shape[rank - 2], a.shape[rank - 1], b.shape[rank - 1]];
  const outer = broadcastShape([a.shape.slice(0, -2), b.shape.slice(0, -2)]);
  if (outer === undefined || b.shape[rank - 2] !== inner)
    return node.refuse(`[${left.shape.join(', ')}] and [${right.shape.join(', ')}] are no matrices that fit`);
  const order = [...outer.flatMap((size, axis) => (size === 1 ? [] : [axis])), rank - 2, rank - 1];
  const [first, second] = [a, b].map((value) => {
    const sizes = [...outer, ...value.shape.slice(-2)];
    if (isActivation(value)) return node.builder.arrange(node.name, expand(node, value, sizes), order);
    return node.builder.constant(`${node.name}.constant`, broadcastConstant(value, sizes), order);
  });
  const product = node.builder.add(node.name, { kind: 'matMul' }, [first.node, second.node]);
  return { node: product, shape: [...outer, rows, columns], order };
}

function transposed(value: TraceValue): TraceValue {
  if (!isActivation(value)) return transposeConstant(value, [1, 0]);
  return { ...value, shape: value.shape.toReversed(), order: value.order.map((axis) => 1 - axis) };
}

/** The last two axes of a tensor the other way round. */
function turned(node: OperatorNode, value: TraceValue): TraceValue {
  const rank = value.shape.length;
  if (rank < 2) return node.refuse('it turns a row');
  const order = [...Array.from({ length: rank - 2 }, (_, axis) => axis), rank - 1, rank - 2];
  return permute(value, order);
}

/** Values with their axes in another order: `order[i]` is the axis that becomes axis i. */
export function permute(value: TraceValue, order: readonly number[]): TraceValue {
  if (!isActivation(value)) return transposeConstant(value, order);
  return {
    ...value,
    shape: order.map((axis) => value.shape[axis]),
    order: value.order.map((axis) => order.indexOf(axis)),
  };
}

export const lowerDense: Lowerings = {
  /** The product of matrices that may be turned, times a number: onnxruntime's. */
  'com.microsoft.FusedMatMul'(node) {
    if (node.number('transBatchA', 0) + node.number('transBatchB', 0) !== 0) node.refuse('it turns its batch');
    const [left, right] = ['transA', 'transB'].map((name, index) =>
      node.number(name, 0) === 0 ? node.input(index) : turned(node, node.input(index)),
    );
    const alpha = node.number('alpha', 1);
    if (isActivation(left) && !isActivation(right)) return multiplyMatrices(node, left, scaled(right, alpha));
    const product = multiplyMatrices(node, left, right);
    return alpha === 1 ? product : scaleBy(node, product, scalar(alpha));
  },

  Gemm(node) {
    const [first, second] = [node.input(0), node.input(1)];
    if (first.shape.length !== 2 || second.shape.length !== 2) node.refuse('it reads no matrices');
    const left = node.number('transA', 0) === 0 ? first : transposed(first);
    const right = node.number('transB', 0) === 0 ? second : transposed(second);
    const [alpha, beta] = [node.number('alpha', 1), node.number('beta', 1)];
    const third = node.inputs[2];
    const units = right.shape[1];
    if (isActivation(left) && !isActivation(right)) {
      // A layer with a bias, where that is one row.
      const isRow = third !== undefined && !isActivation(third) && [1, units].includes(sizeOf(third.shape));
      const fits = isRow && sizeOf(third.shape) === (third.shape.at(-1) ?? 1);
      const bias = fits ? broadcastConstant({ ...third, shape: [third.values.length] }, [units]) : undefined;
      const product = multiplyAlong(node, left, 1, scaled(right, alpha), bias && scaled(bias, beta));
      if (third === undefined || bias !== undefined) return product;
      return combine(
        node,
        'add',
        product,
        isActivation(third) ? scaleBy(node, third, scalar(beta)) : scaled(third, beta),
      );
    }
    const product = multiplyMatrices(node, left, right);
    const result = alpha === 1 ? product : scaleBy(node, product, scalar(alpha));
    if (third === undefined) return result;
    if (isActivation(third)) return combine(node, 'add', result, scaleBy(node, third, scalar(beta)));
    const summand = scaled(third, beta);
    return isSimple(result, summand)
      ? scaleBy(node, result, undefined, summand)
      : combine(node, 'add', result, summand);
  },

  MatMul: (node) => multiplyMatrices(node, node.input(0), node.input(1)),
};
