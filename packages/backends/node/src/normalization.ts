import type { Shape } from '@dafl/core';
import { type Shaped, reshape } from './layout.ts';
import type { Tensorflow, TensorId } from './tensorflow.ts';

/** Results of `batchNorm`; the caller owns them. */
export interface Normalized {
  readonly output: TensorId;
  readonly mean: TensorId;
  /** Biased. */
  readonly variance: TensorId;
}

/** Gradients of `batchNorm`; the caller owns them. */
export interface NormalizedGradient {
  readonly input: TensorId;
  readonly scale: TensorId;
  readonly offset: TensorId;
}

/** `batchNorm` of the contract. */
export function batchNorm(
  tf: Tensorflow,
  input: Shaped,
  scale: TensorId | null,
  offset: TensorId | null,
  epsilon: number,
): Normalized {
  const channels = input.shape.at(-1)!;
  const positions = sizeOf(input.shape) / channels;
  const none = constant(tf, 0, 0);
  const [output, mean, variance, ...reserved] = tf.runMany(
    'FusedBatchNormV3',
    [asImages(tf, input), scale ?? constant(tf, channels, 1), offset ?? constant(tf, channels, 0), none, none],
    { epsilon: { kind: 'float', value: epsilon }, is_training: { kind: 'boolean', value: true } },
    6,
  );
  for (const id of [output, variance, ...reserved]) tf.keep(id);
  // TensorFlow gives the unbiased variance, which of one position it divides by one as well.
  const biased = tf.run('Mul', [variance, tf.scalar((positions - 1) / positions || (positions === 1 ? 1 : 0))]);
  return { output: reshape(tf, output, input.shape), mean, variance: biased };
}

/** `batchNormGradient` of the contract. */
export function batchNormGradient(
  tf: Tensorflow,
  outputGradient: Shaped,
  input: Shaped,
  scale: TensorId | null,
  mean: TensorId,
  variance: TensorId,
  epsilon: number,
): NormalizedGradient {
  const channels = input.shape.at(-1)!;
  // What the CUDA kernel keeps of the forward pass, and wants back, is the inverse deviation in place of the variance.
  const reserved = tf.binding.isUsingGpuDevice()
    ? tf.temporary('Rsqrt', [tf.temporary('AddV2', [variance, tf.scalar(epsilon)])])
    : variance;
  const none = constant(tf, 0, 0);
  const [gradient, scaleGradient, offsetGradient, ...rest] = tf.runMany(
    'FusedBatchNormGradV3',
    [asImages(tf, outputGradient), asImages(tf, input), scale ?? constant(tf, channels, 1), mean, reserved, none],
    { epsilon: { kind: 'float', value: epsilon }, is_training: { kind: 'boolean', value: true } },
    5,
  );
  for (const id of [gradient, ...rest]) tf.keep(id);
  return { input: reshape(tf, gradient, input.shape), scale: scaleGradient, offset: offsetGradient };
}

/** The tensor as `[positions, 1, 1, channels]` or, where it has that rank, as it is. */
function asImages(tf: Tensorflow, { id, shape }: Shaped): TensorId {
  if (shape.length === 4) return id;
  const channels = shape.at(-1)!;
  return tf.keep(reshape(tf, id, [sizeOf(shape) / channels, 1, 1, channels]));
}

function constant(tf: Tensorflow, channels: number, value: number): TensorId {
  return tf.floats(String(value), [channels], () => new Float32Array(channels).fill(value));
}

function sizeOf(shape: Shape): number {
  return shape.reduce((size, length) => size * length, 1);
}
