import type { AveragePool2dOptions, Padding2d, Pool2dOptions, Shape, Size2d } from '@dafl/core';
import { concat, type Made, pad, reshape, type Shaped, slice } from './layout.ts';
import { temporaryOf } from './storage.ts';
import type { Attributes, Tensorflow, TensorId } from './tensorflow.ts';

/** Fewer channels than a vector of TensorFlow's max pooling holds. */
const FEW_CHANNELS = 8;

/** `maxPool2d` of the contract. The caller owns the result. */
export function maxPool(tf: Tensorflow, input: Shaped, options: Pool2dOptions): TensorId | Made {
  if (isHalving(input.shape, options)) return maxPoolHalving(tf, input);
  const padded = padAround(tf, input, options.padding, Number.NEGATIVE_INFINITY);
  return tf.run('MaxPool', [padded.id], windowAttributes(options));
}

/** `maxPool2dGradient` of the contract. The caller owns the result. */
export function maxPoolGradient(
  tf: Tensorflow,
  outputGradient: TensorId,
  input: Shaped,
  output: TensorId,
  options: Pool2dOptions,
): TensorId {
  const padded = padAround(tf, input, options.padding, Number.NEGATIVE_INFINITY);
  const gradient = tf.run('MaxPoolGrad', [padded.id, output, outputGradient], windowAttributes(options));
  return withoutPadding(tf, gradient, input.shape, options.padding);
}

/** `averagePool2d` of the contract. The caller owns the result. */
export function averagePool(tf: Tensorflow, input: Shaped, options: AveragePool2dOptions): TensorId {
  const padded = padAround(tf, input, options.padding, 0);
  const means = tf.run('AvgPool', [padded.id], windowAttributes(options));
  const share = shareOfInput(tf, input.shape, options);
  return share === null ? means : tf.run('RealDiv', [tf.keep(means), share]);
}

/** `averagePool2dGradient` of the contract. The caller owns the result. */
export function averagePoolGradient(
  tf: Tensorflow,
  outputGradient: TensorId,
  inputShape: Shape,
  options: AveragePool2dOptions,
): TensorId {
  const share = shareOfInput(tf, inputShape, options);
  const scaled = share === null ? outputGradient : tf.temporary('RealDiv', [outputGradient, share]);
  const paddedShape = tf.integers(shapeOfPadded(inputShape, options.padding));
  const gradient = tf.run('AvgPoolGrad', [paddedShape, scaled], windowAttributes(options));
  return withoutPadding(tf, gradient, inputShape, options.padding);
}

/** `upsampleNearest2d` of the contract. The caller owns the result. */
export function upsampleNearest(tf: Tensorflow, { id, shape }: Shaped, [down, across]: Size2d): Made {
  const [batch, height, width, channels] = shape;
  // Copies of the channels side by side are copies of the pixel; copies of the row side by side, of the row.
  const pixels = tf.keep(concat(tf, Array<TensorId>(across).fill(id), 3));
  const rows = tf.keep(reshape(tf, pixels, [batch, height, width * across * channels]));
  const copies = concat(tf, Array<TensorId>(down).fill(rows), 2);
  return { id: copies, shape: [batch, height, down * width * across * channels] };
}

/** `upsampleNearest2dGradient` of the contract. The caller owns the result. */
export function upsampleNearestGradient(tf: Tensorflow, outputGradient: TensorId, factors: Size2d): TensorId {
  const padding = { top: 0, bottom: 0, left: 0, right: 0 };
  const means = tf.temporary(
    'AvgPool',
    [outputGradient],
    windowAttributes({ windowSize: factors, strides: factors, padding }),
  );
  return tf.run('Mul', [means, tf.scalar(factors[0] * factors[1])]);
}

/** Whether windows of 2x2 pixels of few channels tile the input. */
function isHalving([, height, width, channels]: Shape, { windowSize, strides, padding }: Pool2dOptions): boolean {
  return (
    channels < FEW_CHANNELS &&
    isNone(padding) &&
    [...windowSize, ...strides].every((size) => size === 2) &&
    height % 2 === 0 &&
    width % 2 === 0
  );
}

/** The larger of neighbouring columns, then of neighbouring rows; in the shape that convolutions by rows want next. */
function maxPoolHalving(tf: Tensorflow, input: Shaped): Made {
  const [batch, height, width, channels] = input.shape;
  const columns = halves(tf, input.as([batch * height * (width / 2), 2 * channels]), 1);
  const narrow = tf.temporary('Maximum', columns);
  const row = (width / 2) * channels;
  const rows = halves(tf, tf.keep(reshape(tf, narrow, [batch, 1, height / 2, 2 * row])), 3);
  return { id: tf.run('Maximum', rows), shape: [batch, 1, height / 2, row] };
}

/** The halves of a tensor along its last axis; temporary. */
function halves(tf: Tensorflow, tensor: TensorId, lastAxis: number): TensorId[] {
  const parts = tf.runMany(
    'Split',
    [tf.integers([lastAxis], []), tensor],
    { num_split: { kind: 'integer', value: 2 } },
    2,
  );
  for (const part of parts) tf.keep(part);
  return parts;
}

function windowAttributes({ windowSize, strides }: Pool2dOptions): Attributes {
  return {
    ksize: { kind: 'integer', value: [1, ...windowSize, 1] },
    strides: { kind: 'integer', value: [1, ...strides, 1] },
    padding: { kind: 'string', value: 'VALID' },
  };
}

/** What share of each window lies on the input, shape `[1, height, width, 1]`; null where padding counts or is none. */
function shareOfInput(
  tf: Tensorflow,
  [, height, width]: Shape,
  { countsPadding, padding, ...window }: AveragePool2dOptions,
): TensorId | null {
  if (countsPadding || isNone(padding)) return null;
  const shape = [1, height, width, 1];
  const ones = tf.floats('1', shape, () => new Float32Array(height * width).fill(1));
  const padded = padAround(tf, temporaryOf(tf, ones, shape), padding, 0);
  return tf.temporary('AvgPool', [padded.id], windowAttributes({ ...window, padding }));
}

function isNone({ top, bottom, left, right }: Padding2d): boolean {
  return top + bottom + left + right === 0;
}

function padAround(tf: Tensorflow, input: Shaped, padding: Padding2d, value: number): Shaped {
  if (isNone(padding)) return input;
  const { top, bottom, left, right } = padding;
  const paddings = [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ] as const;
  return temporaryOf(tf, tf.keep(pad(tf, input.id, paddings, value)), shapeOfPadded(input.shape, padding));
}

function shapeOfPadded([batch, height, width, channels]: Shape, { top, bottom, left, right }: Padding2d): Shape {
  return [batch, height + top + bottom, width + left + right, channels];
}

/** Takes the padding off a gradient, and the gradient itself over. */
function withoutPadding(tf: Tensorflow, gradient: TensorId, shape: Shape, padding: Padding2d): TensorId {
  if (isNone(padding)) return gradient;
  return slice(tf, tf.keep(gradient), [0, padding.top, padding.left, 0], shape);
}
