import type { Shape } from '@dafl/core';
import { FLOAT32, INT32, type Tensorflow, type TensorId } from './tensorflow.ts';

/** A tensor with its shape, as kernels hand it on. */
export interface Shaped {
  readonly id: TensorId;
  readonly shape: Shape;
  /** The same elements in another shape; not to be freed. */
  as(shape: Shape): TensorId;
  /** What a key names and only the elements decide, made once while the tensor lives; not to be freed. */
  derive(key: string, make: () => TensorId): TensorId;
}

/** A kernel's result in the shape that it was made in, which may be another one than the contract's of equal size. */
export interface Made {
  readonly id: TensorId;
  readonly shape: Shape;
}

/** The same elements in another shape; shares their memory. The caller owns the result. */
export function reshape(tf: Tensorflow, input: TensorId, shape: Shape): TensorId {
  return tf.run('Reshape', [input, tf.integers(shape)]);
}

/** The block of shape `size` that starts at `begin`. The caller owns the result. */
export function slice(tf: Tensorflow, input: TensorId, begin: readonly number[], size: Shape): TensorId {
  return tf.run('Slice', [input, tf.integers(begin), tf.integers(size)]);
}

/** Puts elements of `value` around each axis of a float tensor. The caller owns the result. */
export function pad(
  tf: Tensorflow,
  input: TensorId,
  paddings: readonly (readonly [before: number, after: number])[],
  value: number,
): TensorId {
  const sizes = tf.integers(paddings.flat(), [paddings.length, 2]);
  return value === 0 ? tf.run('Pad', [input, sizes]) : tf.run('PadV2', [input, sizes, tf.scalar(value)]);
}

/** Joins tensors along an axis. The caller owns the result. */
export function concat(
  tf: Tensorflow,
  inputs: readonly TensorId[],
  axis: number,
  dataType: 'float32' | 'int32' = 'float32',
): TensorId {
  if (inputs.length === 1) return tf.run('Identity', inputs);
  return tf.run('ConcatV2', [...inputs, tf.integers([axis], [])], {
    N: { kind: 'integer', value: inputs.length },
    T: dataType === 'int32' ? INT32 : FLOAT32,
    Tidx: INT32,
  });
}
