import type { BinaryOperation, Shape, UnaryOperation } from '@dafl/core';
import { sizeOf, stridesOf } from '@dafl/core/backend-base';
import { type FloatArray, walk } from './_array.ts';
import { errorFunction } from './error-function.ts';

const unaryFunctions: Readonly<Record<UnaryOperation, (x: number) => number>> = {
  negate: (x) => -x,
  abs: Math.abs,
  sign: Math.sign,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  square: (x) => x * x,
  reciprocal: (x) => 1 / x,
  tanh: Math.tanh,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  erf: errorFunction,
  step: (x) => (x > 0 ? 1 : 0),
};

const binaryFunctions: Readonly<Record<BinaryOperation, (x: number, y: number) => number>> = {
  add: (x, y) => x + y,
  subtract: (x, y) => x - y,
  multiply: (x, y) => x * y,
  divide: (x, y) => x / y,
  maximum: Math.max,
  minimum: Math.min,
  greater: (x, y) => (x > y ? 1 : 0),
  equal: (x, y) => (x === y ? 1 : 0),
};

/** Applies `operation` to each element. */
export function unary(operation: UnaryOperation, input: FloatArray): Float64Array {
  const compute = unaryFunctions[operation];
  const output = new Float64Array(input.length);
  for (let i = 0; i < output.length; i++) output[i] = compute(input[i]);
  return output;
}

/** Applies `operation` to each pair, broadcast to `outputShape`. */
export function binary(
  operation: BinaryOperation,
  left: FloatArray,
  leftShape: Shape,
  right: FloatArray,
  rightShape: Shape,
  outputShape: Shape,
): Float64Array {
  const compute = binaryFunctions[operation];
  const output = new Float64Array(sizeOf(outputShape));
  const expandedLeft = expand(left, leftShape, outputShape);
  const expandedRight = expand(right, rightShape, outputShape);
  for (let i = 0; i < output.length; i++) output[i] = compute(expandedLeft[i], expandedRight[i]);
  return output;
}

/** Repeats axes of size 1 until the values fill `outputShape`. */
function expand(values: FloatArray, shape: Shape, outputShape: Shape): FloatArray {
  const size = sizeOf(outputShape);
  // With equal sizes the shapes differ by axes of size 1 alone, which don't move an element.
  if (values.length === size) return values;
  const ownStrides = stridesOf(shape);
  const strides = outputShape.map((_, axis) => {
    const ownAxis = axis - outputShape.length + shape.length;
    return ownAxis < 0 || shape[ownAxis] === 1 ? 0 : ownStrides[ownAxis];
  });
  const output = new Float64Array(size);
  walk(outputShape, strides, (index, offset) => {
    output[index] = values[offset];
  });
  return output;
}

/** input x factor + summand. */
export function affine(input: FloatArray, factor: number, summand: number): Float64Array {
  const output = new Float64Array(input.length);
  for (let i = 0; i < output.length; i++) output[i] = input[i] * factor + summand;
  return output;
}

/** The input where it is > 0, `slope` x input elsewhere. */
export function leakyRelu(input: FloatArray, slope: number): Float64Array {
  const output = new Float64Array(input.length);
  for (let i = 0; i < output.length; i++) output[i] = input[i] > 0 ? input[i] : slope * input[i];
  return output;
}

/** The derivative of `leakyRelu`, given what it returned. */
export function leakyReluGradient(outputGradient: FloatArray, output: FloatArray, slope: number): Float64Array {
  const inputGradient = new Float64Array(output.length);
  for (let i = 0; i < output.length; i++) {
    inputGradient[i] = output[i] > 0 ? outputGradient[i] : slope * outputGradient[i];
  }
  return inputGradient;
}
