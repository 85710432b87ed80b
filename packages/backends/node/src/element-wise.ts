import type { BinaryOperation, Shape, UnaryOperation } from '@dafl/core';
import type { Shaped } from './layout.ts';
import type { Tensorflow, TensorId } from './tensorflow.ts';

const UNARY: Readonly<Record<Exclude<UnaryOperation, 'step'>, string>> = {
  negate: 'Neg',
  abs: 'Abs',
  sign: 'Sign',
  exp: 'Exp',
  log: 'Log',
  sqrt: 'Sqrt',
  square: 'Square',
  reciprocal: 'Reciprocal',
  tanh: 'Tanh',
  sigmoid: 'Sigmoid',
  erf: 'Erf',
};

const BINARY: Readonly<Record<BinaryOperation, string>> = {
  add: 'AddV2',
  subtract: 'Sub',
  multiply: 'Mul',
  divide: 'RealDiv',
  maximum: 'Maximum',
  minimum: 'Minimum',
  greater: 'Greater',
  equal: 'Equal',
};

/** `unary` of the contract. The caller owns the result, as of all below that say nothing else. */
export function unary(tf: Tensorflow, operation: UnaryOperation, id: TensorId): TensorId {
  if (operation !== 'step') return tf.run(UNARY[operation], [id]);
  return toFloat(tf, tf.temporary('Greater', [id, tf.scalar(0)]));
}

/** `binary` of the contract, of shapes that TensorFlow broadcasts. */
export function binary(tf: Tensorflow, operation: BinaryOperation, ids: readonly TensorId[]): TensorId {
  return operation === 'greater' || operation === 'equal'
    ? toFloat(tf, tf.temporary(BINARY[operation], ids))
    : tf.run(BINARY[operation], ids);
}

/** `affine` of the contract. */
export function affine(tf: Tensorflow, id: TensorId, factor: number, summand: number): TensorId {
  if (summand === 0) return tf.run('Mul', [id, tf.scalar(factor)]);
  const scaled = factor === 1 ? id : tf.temporary('Mul', [id, tf.scalar(factor)]);
  return tf.run('AddV2', [scaled, tf.scalar(summand)]);
}

/** `clip` of the contract. */
export function clip(tf: Tensorflow, id: TensorId, low: number, high: number): TensorId {
  return tf.run('Minimum', [tf.temporary('Maximum', [id, tf.scalar(low)]), tf.scalar(high)]);
}

/** `clipGradient` of the contract. */
export function clipGradient(tf: Tensorflow, gradient: TensorId, id: TensorId, low: number, high: number): TensorId {
  if (low === 0 && high === 6) return tf.run('Relu6Grad', [gradient, id]);
  const isAbove = tf.temporary('Greater', [id, tf.scalar(low)]);
  const isInside = tf.temporary('LogicalAnd', [isAbove, tf.temporary('Less', [id, tf.scalar(high)])]);
  return tf.run('SelectV2', [isInside, gradient, tf.scalar(0)]);
}

/** The tensor repeated to a shape that it broadcasts to; temporary. */
export function repeat(tf: Tensorflow, input: Shaped, full: Shape): TensorId {
  const { shape } = input;
  const aligned = [...Array<number>(full.length - shape.length).fill(1), ...shape];
  const repeats = full.map((length, axis) => (aligned[axis] === 1 ? length : 1));
  return tf.temporary('Tile', [input.as(aligned), tf.integers(repeats)]);
}

function toFloat(tf: Tensorflow, booleans: TensorId): TensorId {
  return tf.run('Cast', [booleans], { DstT: { kind: 'type', value: 'float32' } });
}
