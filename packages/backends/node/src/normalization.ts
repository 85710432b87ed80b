import type { Shape } from '@dafl/core';
import { sizeOf } from '@dafl/core/backend-base';
import type { Made, Shaped } from './layout.ts';
import type { Tensorflow, TensorId } from './tensorflow.ts';

/** Running statistics, as TensorFlow's tensors. */
interface Running {
  readonly mean: TensorId;
  readonly variance: TensorId;
}

/** Results of `batchNorm`; the caller owns them. */
export interface Normalized {
  readonly output: Made;
  readonly mean: TensorId;
  /** Biased. */
  readonly variance: TensorId;
  readonly running: Running | null;
}

/** Gradients of `batchNorm`; the caller owns them. */
export interface NormalizedGradient {
  readonly input: Made;
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
  running: (Running & { readonly momentum: number }) | null,
): Normalized {
  const channels = input.shape.at(-1)!;
  const positions = sizeOf(input.shape) / channels;
  const none = constant(tf, 0, 0);
  const shape = imageShape(input.shape);
  // A momentum of 1 is TensorFlow's word for no running statistics: it wants none, and gives the batch's.
  const isMoving = running !== null && running.momentum < 1;
  const [output, mean, variance, keptMean, keptVariance, rest] = tf.runMany(
    'FusedBatchNormV3',
    [
      input.as(shape),
      scale ?? constant(tf, channels, 1),
      offset ?? constant(tf, channels, 0),
      isMoving ? running.mean : none,
      isMoving ? running.variance : none,
    ],
    {
      epsilon: { kind: 'float', value: epsilon },
      is_training: { kind: 'boolean', value: true },
      exponential_avg_factor: { kind: 'float', value: isMoving ? running.momentum : 1 },
    },
    6,
  );
  tf.keep(rest);
  const made = { id: output, shape };
  if (isMoving && !tf.binding.isUsingGpuDevice()) {
    // What the CPU's kernel keeps for its gradient are the batch's own, the variance biased.
    return { output: made, mean: keptMean, variance: keptVariance, running: { mean, variance } };
  }
  tf.keep(keptVariance);
  if (isMoving) {
    // CUDA's keeps the inverse deviation.
    const raised = tf.temporary('Reciprocal', [tf.temporary('Square', [keptVariance])]);
    const biased = tf.run('Maximum', [tf.temporary('Sub', [raised, tf.scalar(epsilon)]), tf.scalar(0)]);
    return { output: made, mean: keptMean, variance: biased, running: { mean, variance } };
  }
  // TensorFlow gives the unbiased variance, which of one position it divides by one as well.
  const biased = tf.run('Mul', [variance, tf.scalar((positions - 1) / positions || (positions === 1 ? 1 : 0))]);
  if (running === null) {
    for (const id of [keptMean, variance]) tf.keep(id);
    return { output: made, mean, variance: biased, running: null };
  }
  return { output: made, mean: keptMean, variance: biased, running: { mean, variance } };
}

/** `frozenBatchNorm` of the contract. The caller owns the result. */
export function frozenBatchNorm(
  tf: Tensorflow,
  input: Shaped,
  frozen: {
    readonly mean: TensorId | null;
    readonly variance: TensorId;
    readonly scale: TensorId | null;
    readonly offset: TensorId | null;
    readonly epsilon: number;
  },
): Made {
  const channels = input.shape.at(-1)!;
  const shape = imageShape(input.shape);
  const zeros = constant(tf, channels, 0);
  const [output, ...rest] = tf.runMany(
    'FusedBatchNormV3',
    [
      input.as(shape),
      frozen.scale ?? constant(tf, channels, 1),
      frozen.offset ?? zeros,
      frozen.mean ?? zeros,
      frozen.variance,
    ],
    { epsilon: { kind: 'float', value: frozen.epsilon }, is_training: { kind: 'boolean', value: false } },
    6,
  );
  for (const id of rest) tf.keep(id);
  return { id: output, shape };
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
  const shape = imageShape(input.shape);
  const [gradient, scaleGradient, offsetGradient, ...rest] = tf.runMany(
    'FusedBatchNormGradV3',
    [outputGradient.as(shape), input.as(shape), scale ?? constant(tf, channels, 1), mean, reserved, none],
    { epsilon: { kind: 'float', value: epsilon }, is_training: { kind: 'boolean', value: true } },
    5,
  );
  for (const id of rest) tf.keep(id);
  return { input: { id: gradient, shape }, scale: scaleGradient, offset: offsetGradient };
}

/** `[positions, 1, 1, channels]` or, where a shape has that rank, itself. */
function imageShape(shape: Shape): Shape {
  if (shape.length === 4) return shape;
  const channels = shape.at(-1)!;
  return [sizeOf(shape) / channels, 1, 1, channels];
}

function constant(tf: Tensorflow, channels: number, value: number): TensorId {
  return tf.floats(String(value), [channels], () => new Float32Array(channels).fill(value));
}
