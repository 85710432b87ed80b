import type { AdamStepOptions } from '@dafl/core';
import type { Tensorflow, TensorId } from './tensorflow.ts';

/** `adamStep` of the contract: the new parameter, first and second moment. The caller owns the results. */
export function adamStep(
  tf: Tensorflow,
  [p, g, m, v]: readonly TensorId[],
  { stepSize, beta1, beta2, secondMomentCorrection, epsilon }: AdamStepOptions,
): readonly TensorId[] {
  const scaled = (input: TensorId, factor: number): TensorId => tf.temporary('Mul', [input, tf.scalar(factor)]);
  const first = tf.run('AddV2', [scaled(m, beta1), scaled(g, 1 - beta1)]);
  const squares = tf.temporary('Square', [g]);
  const second = tf.run('AddV2', [scaled(v, beta2), scaled(squares, 1 - beta2)]);
  // p - stepSize m / (sqrt(v) / correction + epsilon), with stepSize x correction taken out of the fraction.
  const root = tf.temporary('Sqrt', [second]);
  const divisor = tf.temporary('AddV2', [root, tf.scalar(epsilon * secondMomentCorrection)]);
  const direction = tf.temporary('RealDiv', [first, divisor]);
  const step = scaled(direction, stepSize * secondMomentCorrection);
  return [tf.run('Sub', [p, step]), first, second];
}
