import type { ReduceOperation } from '@dafl/core';
import { sizeOf } from '@dafl/core/backend-base';
import { FEW_CHANNELS } from './few-channels.ts';
import type { Made, Shaped } from './layout.ts';
import type { Tensorflow, TensorId } from './tensorflow.ts';

const REDUCE: Readonly<Record<ReduceOperation, string>> = { sum: 'Sum', mean: 'Mean', max: 'Max' };

/** `reduce` of the contract. The caller owns the result. */
export function reduce(
  tf: Tensorflow,
  operation: ReduceOperation,
  input: Shaped,
  axes: readonly number[],
  keepDimensions: boolean,
): TensorId | Made {
  const rank = input.shape.length;
  const isOverPositions = rank >= 2 && axes.length === rank - 1 && !axes.includes(rank - 1);
  if (axes.length === 0) return tf.run('Identity', [input.id]);
  if (operation === 'sum' && isOverPositions && sizeOf(input.shape) > 0) return sumOverPositions(tf, input);
  return tf.run(REDUCE[operation], [input.id, tf.integers(axes)], {
    keep_dims: { kind: 'boolean', value: keepDimensions },
  });
}

/** Sum of each channel, shape `[channels]`. */
function sumOverPositions(tf: Tensorflow, input: Shaped): Made {
  const { shape } = input;
  const [width, channels] = shape.slice(-2);
  const madeAs = [channels];
  if (channels >= FEW_CHANNELS || shape.length < 3 || sizeOf(shape) === sizeOf([shape[0], channels])) {
    return { id: tf.run('BiasAddGrad', [input.as([sizeOf(shape) / channels, channels])]), shape: madeAs };
  }
  // As convolutions of few channels want it too.
  const [batch] = shape;
  const rows = input.as([batch, 1, sizeOf(shape) / (batch * width * channels), width * channels]);
  const row = tf.temporary('BiasAddGrad', [rows]);
  const channelOf = tf.table(`channels ${channels}`, [width * channels], () =>
    Int32Array.from({ length: width * channels }, (_, index) => index % channels),
  );
  return { id: tf.run('UnsortedSegmentSum', [row, channelOf, tf.integers([channels], [])]), shape: madeAs };
}
