import type { HostTensor } from '@dafl/core';
import { broadcastConstant, type Constant, sizeOf, transposeConstant } from './constant.ts';
import { type Activation, isActivation } from './graph-builder.ts';
import type { Lowerings, OperatorNode } from './operator-node.ts';

function scaled({ shape, values }: Constant, factor: number): HostTensor {
  return { shape: [...shape], data: Float32Array.from(values, (value) => value * factor) };
}

/**
 * The product of a matrix with each row along an axis.
 *
 * @param kernel `[inputs, outputs]`.
 */
function multiplyAlong(
  node: OperatorNode,
  value: Activation,
  axis: number,
  kernel: HostTensor,
  bias?: HostTensor,
): Activation {
  const { builder, name } = node;
  const [size, units] = kernel.shape;
  if (value.shape[axis] !== size) node.refuse(`its sizes ${value.shape[axis]} and ${size} differ`);
  const order = [...value.order.filter((other) => other !== axis), axis];
  const input = builder.arrange(name, value, order);
  const useBias = bias !== undefined;
  const shape = value.shape.map((length, index) => (index === axis ? units : length));
  if (order.length === 1) {
    const weights = { kernel, ...(useBias && { bias }) };
    return { shape, order, node: builder.add(name, { kind: 'dense', units, useBias }, [input.node], weights) };
  }
  // Rows beside each other are the pixels of a map.
  const outer = order.slice(0, -1).map((other) => value.shape[other]);
  const isMap = outer.length === 2;
  const map: [number, number] = isMap ? [outer[0], outer[1]] : [sizeOf(outer), 1];
  const source = isMap ? input.node : builder.add(name, { kind: 'reshape', shape: [...map, size] }, [input.node]);
  const convolved = builder.add(
    name,
    {
      kind: 'conv2d',
      filters: units,
      kernelSize: [1, 1],
      strides: [1, 1],
      padding: { top: 0, bottom: 0, left: 0, right: 0 },
      dilations: [1, 1],
      groups: 1,
      useBias,
    },
    [source],
    { kernel: { shape: [1, 1, size, units], data: kernel.data }, ...(useBias && { bias }) },
  );
  const result = isMap ? convolved : builder.add(name, { kind: 'reshape', shape: [...outer, units] }, [convolved]);
  return { shape, order, node: result };
}

export const lowerDense: Lowerings = {
  Gemm(node) {
    const input = node.activation(0);
    const kernel = node.constant(1);
    if (input.shape.length !== 2 || kernel.shape.length !== 2) node.refuse('it reads no matrices');
    if (node.number('transA', 0) !== 0) node.refuse('it transposes its first input');
    const units = kernel.shape[node.number('transB', 0) === 0 ? 1 : 0];
    const bias = node.optionalConstant(2);
    if (bias !== undefined && sizeOf(bias.shape) !== 1 && (sizeOf(bias.shape) !== units || bias.shape.at(-1) !== units))
      node.refuse('its third input is no row');
    const row = bias && broadcastConstant({ ...bias, shape: [bias.values.length] }, [units]);
    const matrix = node.number('transB', 0) === 0 ? kernel : transposeConstant(kernel, [1, 0]);
    return multiplyAlong(
      node,
      input,
      1,
      scaled(matrix, node.number('alpha', 1)),
      row && scaled(row, node.number('beta', 1)),
    );
  },

  MatMul(node) {
    const [left, right] = [node.input(0), node.input(1)];
    if (isActivation(left) && !isActivation(right)) {
      const matrix = dropLeadingOnes(right);
      if (matrix.shape.length !== 2 || left.shape.length < 2) node.refuse('its constant is no matrix');
      return multiplyAlong(node, left, left.shape.length - 1, scaled(matrix, 1));
    }
    if (isActivation(right) && !isActivation(left)) {
      const matrix = dropLeadingOnes(left);
      if (matrix.shape.length !== 2 || right.shape.length < 3) node.refuse('its constant is no matrix');
      return multiplyAlong(node, right, right.shape.length - 2, scaled(transposeConstant(matrix, [1, 0]), 1));
    }
    return node.refuse('it multiplies activations');
  },
};

function dropLeadingOnes(constant: Constant): Constant {
  const { shape } = constant;
  const leading = Math.max(0, shape.length - 2);
  return shape.slice(0, leading).every((size) => size === 1) ? { ...constant, shape: shape.slice(leading) } : constant;
}
