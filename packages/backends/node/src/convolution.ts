import type { Conv2dOptions, Padding2d, Shape, Size2d } from '@dafl/core';
import { convolvedShape } from '@dafl/core/backend-base';
import {
  chooseForm,
  convolveProduct,
  convolveProductFilterGradient,
  convolveProductInputGradient,
  convolveRows,
  convolveRowsFilterGradient,
  convolveRowsInputGradient,
  convolveTaps,
  convolveTapsFilterGradient,
  convolveTapsInputGradient,
} from './few-channel-convolution.ts';
import { convolutionAttributes } from './convolution-attributes.ts';
import { concat, type Made, pad, reshape, type Shaped, slice } from './layout.ts';
import { temporaryOf } from './storage.ts';
import type { Attributes, Tensorflow, TensorId } from './tensorflow.ts';

const UNDILATED: Size2d = [1, 1];

/** `conv2d` of the contract, without the bias. The caller owns the result. */
export function convolve(tf: Tensorflow, input: Shaped, filter: Shaped, options: Conv2dOptions): TensorId | Made {
  if (isDilated(options)) {
    const dilated = dilate(tf, filter, options.dilations);
    return convolve(tf, input, dilated, { ...options, dilations: UNDILATED });
  }
  if (options.groups === 1) {
    const form = chooseForm(input.shape, filter.shape, options);
    if (form === 'product') return convolveProduct(tf, input, filter);
    if (form === 'rows') return convolveRows(tf, input, filter, options);
    if (form === 'taps') return convolveTaps(tf, input, filter, options);
    return tf.run('Conv2D', [input.id, filter.id], convolutionAttributes(options));
  }
  if (isDepthwise(input.shape, options)) {
    const padded = padded2d(tf, input, options.padding);
    const kernel = filter.as(depthwiseShape(filter.shape, options.groups));
    return tf.run('DepthwiseConv2dNative', [padded.id, kernel], depthwiseAttributes(options));
  }
  const groupShape = convolvedShape(input.shape, filter.shape, options);
  groupShape[3] /= options.groups;
  const outputs = eachGroup(options.groups, (group) => {
    const part = groupOf(tf, input, 3, options.groups, group);
    const kernel = groupOf(tf, filter, 3, options.groups, group);
    return inShape(tf, convolve(tf, part, kernel, { ...options, groups: 1 }), groupShape);
  });
  return concat(tf, outputs, 3);
}

/** `conv2dInputGradient` of the contract. The caller owns the result. */
export function convolveInputGradient(
  tf: Tensorflow,
  outputGradient: Shaped,
  filter: Shaped,
  inputShape: Shape,
  options: Conv2dOptions,
): TensorId | Made {
  if (isDilated(options)) {
    const dilated = dilate(tf, filter, options.dilations);
    return convolveInputGradient(tf, outputGradient, dilated, inputShape, { ...options, dilations: UNDILATED });
  }
  const { groups } = options;
  if (groups === 1) {
    const form = chooseForm(inputShape, filter.shape, options);
    if (form === 'product') return convolveProductInputGradient(tf, outputGradient, filter);
    if (form === 'rows') return convolveRowsInputGradient(tf, outputGradient, filter, inputShape, options);
    if (form === 'taps') return convolveTapsInputGradient(tf, outputGradient, filter, options);
    const inputs = [tf.integers(inputShape), filter.id, outputGradient.id];
    return tf.run('Conv2DBackpropInput', inputs, convolutionAttributes(options));
  }
  if (isDepthwise(inputShape, options)) {
    const paddedShape = shapeOfPadded(inputShape, options.padding);
    const kernel = filter.as(depthwiseShape(filter.shape, groups));
    const inputs = [tf.integers(paddedShape), kernel, outputGradient.id];
    const padded = tf.run('DepthwiseConv2dNativeBackpropInput', inputs, depthwiseAttributes(options));
    if (isNone(options.padding)) return padded;
    return slice(tf, tf.keep(padded), [0, options.padding.top, options.padding.left, 0], inputShape);
  }
  const partShape = [...inputShape.slice(0, 3), inputShape[3] / groups];
  const gradients = eachGroup(groups, (group) => {
    const gradient = groupOf(tf, outputGradient, 3, groups, group);
    const kernel = groupOf(tf, filter, 3, groups, group);
    const made = convolveInputGradient(tf, gradient, kernel, partShape, { ...options, groups: 1 });
    return inShape(tf, made, partShape);
  });
  return concat(tf, gradients, 3);
}

/** `conv2dFilterGradient` of the contract. The caller owns the result. */
export function convolveFilterGradient(
  tf: Tensorflow,
  input: Shaped,
  outputGradient: Shaped,
  filterShape: Shape,
  options: Conv2dOptions,
): TensorId | Made {
  if (isDilated(options)) {
    const { dilations } = options;
    const dilatedShape = shapeOfDilated(filterShape, dilations);
    const undilated = { ...options, dilations: UNDILATED };
    const gradient = convolveFilterGradient(tf, input, outputGradient, dilatedShape, undilated);
    return pickDilated(tf, inShape(tf, gradient, dilatedShape), filterShape, dilations);
  }
  const { groups } = options;
  if (groups === 1) {
    const form = chooseForm(input.shape, filterShape, options);
    if (form === 'product') return convolveProductFilterGradient(tf, input, outputGradient, filterShape);
    if (form === 'rows') return convolveRowsFilterGradient(tf, input, outputGradient, filterShape, options);
    if (form === 'taps') return convolveTapsFilterGradient(tf, input, outputGradient, filterShape, options);
    const inputs = [input.id, tf.integers(filterShape), outputGradient.id];
    return tf.run('Conv2DBackpropFilter', inputs, convolutionAttributes(options));
  }
  if (isDepthwise(input.shape, options)) {
    const padded = padded2d(tf, input, options.padding);
    const shape = depthwiseShape(filterShape, groups);
    const inputs = [padded.id, tf.integers(shape), outputGradient.id];
    return { id: tf.run('DepthwiseConv2dNativeBackpropFilter', inputs, depthwiseAttributes(options)), shape };
  }
  const partShape = [...filterShape.slice(0, 3), filterShape[3] / groups];
  const gradients = eachGroup(groups, (group) => {
    const part = groupOf(tf, input, 3, groups, group);
    const gradient = groupOf(tf, outputGradient, 3, groups, group);
    const made = convolveFilterGradient(tf, part, gradient, partShape, { ...options, groups: 1 });
    return inShape(tf, made, partShape);
  });
  return concat(tf, gradients, 3);
}

/** A kernel's result in a shape; temporary. */
function inShape(tf: Tensorflow, made: TensorId | Made, shape: Shape): TensorId {
  if (typeof made === 'number') return tf.keep(made);
  return tf.keep(reshape(tf, tf.keep(made.id), shape));
}

function isNone({ top, bottom, left, right }: Padding2d): boolean {
  return top + bottom + left + right === 0;
}

function depthwiseAttributes({ strides }: Conv2dOptions): Attributes {
  return { strides: { kind: 'integer', value: [1, ...strides, 1] }, padding: { kind: 'string', value: 'VALID' } };
}

function isDilated({ dilations }: Conv2dOptions): boolean {
  return dilations.some((dilation) => dilation > 1);
}

/** Whether TensorFlow's depthwise kernels can run it: they have one stride for both axes. */
function isDepthwise(inputShape: Shape, { groups, strides }: Conv2dOptions): boolean {
  return groups === inputShape[3] && strides[0] === strides[1];
}

/** TensorFlow's order of a depthwise filter's outputs is the contract's: those of one channel are adjacent. */
function depthwiseShape([height, width, , outputs]: Shape, groups: number): Shape {
  return [height, width, groups, outputs / groups];
}

function eachGroup(groups: number, run: (group: number) => TensorId): TensorId[] {
  return Array.from({ length: groups }, (_, group) => run(group));
}

function groupOf(tf: Tensorflow, tensor: Shaped, axis: number, groups: number, group: number): Shaped {
  const size = tensor.shape[axis] / groups;
  const begin = tensor.shape.map((_, at) => (at === axis ? group * size : 0));
  const shape = tensor.shape.map((length, at) => (at === axis ? size : length));
  return temporaryOf(tf, tf.keep(slice(tf, tensor.id, begin, shape)), shape);
}

function shapeOfPadded([batch, height, width, channels]: Shape, { top, bottom, left, right }: Padding2d): Shape {
  return [batch, height + top + bottom, width + left + right, channels];
}

function padded2d(tf: Tensorflow, input: Shaped, padding: Padding2d): Shaped {
  if (isNone(padding)) return input;
  const { top, bottom, left, right } = padding;
  const paddings = [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ] as const;
  return temporaryOf(tf, tf.keep(pad(tf, input.id, paddings, 0)), shapeOfPadded(input.shape, padding));
}

function shapeOfDilated([height, width, inputs, outputs]: Shape, [down, across]: Size2d): Shape {
  return [(height - 1) * down + 1, (width - 1) * across + 1, inputs, outputs];
}

/** The filter with zeros between its elements, in place of a dilation: TensorFlow has no gradients of those on CPUs. */
function dilate(tf: Tensorflow, filter: Shaped, [down, across]: Size2d): Shaped {
  const [height, width, inputs, outputs] = filter.shape;
  const apart = filter.as([height, 1, width, 1, inputs, outputs]);
  const spread = tf.keep(
    pad(
      tf,
      apart,
      [
        [0, 0],
        [0, down - 1],
        [0, 0],
        [0, across - 1],
        [0, 0],
        [0, 0],
      ],
      0,
    ),
  );
  const joined = tf.keep(reshape(tf, spread, [height * down, width * across, inputs, outputs]));
  const shape = shapeOfDilated(filter.shape, [down, across]);
  return temporaryOf(tf, tf.keep(slice(tf, joined, [0, 0, 0, 0], shape)), shape);
}

/** The adjoint of `dilate`: the elements that lie a dilation apart. */
function pickDilated(tf: Tensorflow, gradient: TensorId, filterShape: Shape, [down, across]: Size2d): TensorId {
  const [height, width, inputs, outputs] = filterShape;
  const paddings = [
    [0, down - 1],
    [0, across - 1],
    [0, 0],
    [0, 0],
  ] as const;
  const joined = tf.keep(pad(tf, gradient, paddings, 0));
  const spread = tf.keep(reshape(tf, joined, [height, down, width, across, inputs, outputs]));
  const apart = tf.keep(slice(tf, spread, [0, 0, 0, 0, 0, 0], [height, 1, width, 1, inputs, outputs]));
  return reshape(tf, apart, filterShape);
}
