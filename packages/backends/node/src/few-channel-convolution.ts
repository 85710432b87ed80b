import type { Conv2dOptions, Shape } from '@dafl/core';
import { sizeOf } from '@dafl/core/backend-base';
import { convolutionAttributes } from './convolution-attributes.ts';
import { concat, type Made, pad, reshape, type Shaped, slice } from './layout.ts';
import { FLOAT32, type Tensorflow, type TensorId } from './tensorflow.ts';

/**
 * Convolutions of few channels, for which TensorFlow's own kernels take tens of times as long as for as many
 * multiplications of many channels.
 *
 * `rows`: the pixels of a row are taken as channels. A convolution over the rows alone remains, whose filter is banded:
 * at [row, (x, input), (y, output)] stands the tap that reads x for y, or zero. It has more multiplications, all fast.
 *
 * `product`: a filter as large as its input is a matrix, whatever its channels.
 *
 * `taps`: for few outputs of many inputs. One matrix product gives what each tap makes of each pixel; the output is the
 * sum of these small maps, moved by their taps.
 */
export type FewChannelForm = 'rows' | 'taps' | 'product' | null;

/** A channel count that fills no vector. */
const FEW = 16;
/** A row's pixels and channels, and how many times more multiplications they may cost. */
const LONGEST_ROW = 1024;
const MOST_INFLATION = 16;
/** A banded filter of more elements is made by matrix products: the numbers of its elements would take as much memory. */
const MOST_GATHERED = 2 ** 16;

/** Which form a convolution should take; null for TensorFlow's own. */
export function chooseForm(inputShape: Shape, filterShape: Shape, options: Conv2dOptions): FewChannelForm {
  const [, height, width, inputs] = inputShape;
  const [kernelHeight, kernelWidth, , outputs] = filterShape;
  const { groups, dilations, strides, padding } = options;
  if (groups > 1 || dilations[0] > 1 || dilations[1] > 1 || kernelWidth === 1) return null;
  const isUnpadded = padding.top + padding.bottom + padding.left + padding.right === 0;
  if (isUnpadded && height === kernelHeight && width === kernelWidth) return 'product';
  if (inputs >= FEW && outputs >= FEW) return null;
  const isSame =
    strides.every((stride) => stride === 1) &&
    padding.top + padding.bottom === kernelHeight - 1 &&
    padding.left + padding.right === kernelWidth - 1;
  if (isSame && outputs < FEW / 4 && inputs >= FEW / 2) return 'taps';
  const outputWidth = outputSize(width, kernelWidth, strides[1], padding.left + padding.right);
  const isShort = width * inputs <= LONGEST_ROW && outputWidth * outputs <= LONGEST_ROW;
  return isShort && width <= MOST_INFLATION * kernelWidth ? 'rows' : null;
}

/** `conv2d` by `rows`. The caller owns the result. */
export function convolveRows(tf: Tensorflow, input: Shaped, filter: Shaped, options: Conv2dOptions): Made {
  const band = new Band(input.shape, filter.shape, options);
  const inputs = [input.as(band.inputShape), band.spread(tf, filter)];
  return { id: tf.run('Conv2D', inputs, band.attributes), shape: band.outputRowsShape };
}

/** `conv2dInputGradient` by `rows`. The caller owns the result. */
export function convolveRowsInputGradient(
  tf: Tensorflow,
  outputGradient: Shaped,
  filter: Shaped,
  inputShape: Shape,
  options: Conv2dOptions,
): Made {
  const band = new Band(inputShape, filter.shape, options);
  const rows = outputGradient.as(band.outputRowsShape);
  const inputs = [tf.integers(band.inputShape), band.spread(tf, filter), rows];
  return { id: tf.run('Conv2DBackpropInput', inputs, band.attributes), shape: band.inputShape };
}

/** `conv2dFilterGradient` by `rows`. The caller owns the result. */
export function convolveRowsFilterGradient(
  tf: Tensorflow,
  input: Shaped,
  outputGradient: Shaped,
  filterShape: Shape,
  options: Conv2dOptions,
): Made {
  const band = new Band(input.shape, filterShape, options);
  const inputs = [input.as(band.inputShape), tf.integers(band.filterShape), outputGradient.as(band.outputRowsShape)];
  return band.collect(tf, tf.temporary('Conv2DBackpropFilter', inputs, band.attributes));
}

/** The banded filter of one geometry. */
class Band {
  /** `[batch, 1, height, width x inputs]`. */
  readonly inputShape: Shape;
  readonly filterShape: Shape;
  readonly outputRowsShape: Shape;
  readonly attributes: ReturnType<typeof convolutionAttributes>;
  readonly #kernel: Shape;
  readonly #width: number;
  readonly #outputWidth: number;
  readonly #stride: number;
  readonly #left: number;

  constructor(inputShape: Shape, filterShape: Shape, { strides, padding }: Conv2dOptions) {
    const [batch, height, width, inputs] = inputShape;
    const [kernelHeight, kernelWidth, , outputs] = filterShape;
    const outputHeight = outputSize(height, kernelHeight, strides[0], padding.top + padding.bottom);
    const outputWidth = outputSize(width, kernelWidth, strides[1], padding.left + padding.right);
    this.#kernel = filterShape;
    this.#width = width;
    this.#outputWidth = outputWidth;
    this.inputShape = [batch, 1, height, width * inputs];
    this.filterShape = [1, kernelHeight, width * inputs, outputWidth * outputs];
    this.outputRowsShape = [batch, 1, outputHeight, outputWidth * outputs];
    // The rows lie along the second axis, over which oneDNN's kernels run in blocks.
    this.attributes = convolutionAttributes({
      strides: [1, strides[0]],
      padding: { top: 0, bottom: 0, left: padding.top, right: padding.bottom },
    });
    this.#stride = strides[1];
    this.#left = padding.left;
  }

  /** The banded filter of a filter; the filter's. */
  spread(tf: Tensorflow, filter: Shaped): TensorId {
    return filter.derive(`band ${this.#key}`, () =>
      sizeOf(this.filterShape) <= MOST_GATHERED ? this.#gather(tf, filter) : this.#multiply(tf, filter),
    );
  }

  /** The gradient of a filter from that of its banded form: the adjoint of `spread`. The caller owns it. */
  collect(tf: Tensorflow, gradient: TensorId): Made {
    const [kernelHeight, kernelWidth, inputs, outputs] = this.#kernel;
    if (sizeOf(this.filterShape) <= MOST_GATHERED) {
      const size = sizeOf(this.#kernel);
      // Sums pass over negative places.
      const inputs = [gradient, this.#places(tf, -1), tf.integers([size], [])];
      return { id: tf.run('UnsortedSegmentSum', inputs), shape: [size] };
    }
    const apart = tf.keep(reshape(tf, gradient, [kernelHeight, this.#width, inputs, this.#outputWidth, outputs]));
    const ordered = tf.temporary('Transpose', [apart, tf.integers([1, 3, 0, 2, 4])]);
    const rows = [this.#width * this.#outputWidth, kernelHeight * inputs * outputs];
    const band = tf.keep(reshape(tf, ordered, rows));
    const attributes = { transpose_a: { kind: 'boolean', value: true } } as const;
    const columns = tf.temporary('MatMul', [this.#taps(tf), band], attributes);
    const byTap = tf.keep(reshape(tf, columns, [kernelWidth, kernelHeight, inputs, outputs]));
    return { id: tf.run('Transpose', [byTap, tf.integers([1, 0, 2, 3])]), shape: this.#kernel };
  }

  #gather(tf: Tensorflow, filter: Shaped): TensorId {
    const size = sizeOf(this.#kernel);
    const withZero = tf.keep(concat(tf, [filter.as([size]), tf.floats('0', [1], () => new Float32Array(1))], 0));
    return tf.run('GatherV2', [withZero, this.#places(tf, size), tf.integers([0], [])]);
  }

  #multiply(tf: Tensorflow, filter: Shaped): TensorId {
    const [kernelHeight, kernelWidth, inputs, outputs] = this.#kernel;
    const byTap = tf.temporary('Transpose', [filter.id, tf.integers([1, 0, 2, 3])]);
    const columns = tf.keep(reshape(tf, byTap, [kernelWidth, kernelHeight * inputs * outputs]));
    const band = tf.temporary('MatMul', [this.#taps(tf), columns]);
    const apart = tf.keep(reshape(tf, band, [this.#width, this.#outputWidth, kernelHeight, inputs, outputs]));
    const ordered = tf.temporary('Transpose', [apart, tf.integers([2, 0, 3, 1, 4])]);
    return reshape(tf, ordered, this.filterShape);
  }

  /** Which element of the filter stands at each place of the banded one; `outside` where none does. */
  #places(tf: Tensorflow, outside: number): TensorId {
    return tf.table(`places ${outside} ${this.#key}`, this.filterShape, () => {
      const [kernelHeight, kernelWidth, inputs, outputs] = this.#kernel;
      const places = new Int32Array(sizeOf(this.filterShape)).fill(outside);
      this.#eachTap((pixel, output, tap) => {
        for (let row = 0; row < kernelHeight; row++) {
          for (let input = 0; input < inputs; input++) {
            const to = ((row * this.#width + pixel) * inputs + input) * this.#outputWidth + output;
            const from = (row * kernelWidth + tap) * inputs + input;
            for (let channel = 0; channel < outputs; channel++) {
              places[to * outputs + channel] = from * outputs + channel;
            }
          }
        }
      });
      return places;
    });
  }

  /** The pixels and outputs of a row that a tap joins. */
  #eachTap(visit: (pixel: number, output: number, tap: number) => void): void {
    for (let output = 0; output < this.#outputWidth; output++) {
      for (let tap = 0; tap < this.#kernel[1]; tap++) {
        const pixel = output * this.#stride + tap - this.#left;
        if (pixel >= 0 && pixel < this.#width) visit(pixel, output, tap);
      }
    }
  }

  get #key(): string {
    return `${this.#width} ${this.#outputWidth} ${this.#stride} ${this.#left} ${this.#kernel.join()}`;
  }

  /** For each pixel of a row and each output of one, which tap joins them: `[width x outputWidth, kernelWidth]`. */
  #taps(tf: Tensorflow): TensorId {
    const [width, outputWidth, stride, left] = [this.#width, this.#outputWidth, this.#stride, this.#left];
    const kernelWidth = this.#kernel[1];
    return tf.floats(`band ${width} ${stride} ${left}`, [width * outputWidth, kernelWidth], () => {
      const taps = new Float32Array(width * outputWidth * kernelWidth);
      this.#eachTap((pixel, output, tap) => (taps[(pixel * outputWidth + output) * kernelWidth + tap] = 1));
      return taps;
    });
  }
}

/** `conv2d` by `product`. The caller owns the result. */
export function convolveProduct(tf: Tensorflow, input: Shaped, filter: Shaped): Made {
  const [rows, columns] = matrixOf(filter.shape);
  const [batch] = input.shape;
  const id = tf.run('MatMul', [input.as([batch, rows]), filter.as([rows, columns])]);
  return { id, shape: [batch, columns] };
}

/** `conv2dInputGradient` by `product`. The caller owns the result. */
export function convolveProductInputGradient(tf: Tensorflow, outputGradient: Shaped, filter: Shaped): Made {
  const [rows, columns] = matrixOf(filter.shape);
  const [batch] = outputGradient.shape;
  const attributes = { transpose_b: { kind: 'boolean', value: true } } as const;
  const id = tf.run('MatMul', [outputGradient.as([batch, columns]), filter.as([rows, columns])], attributes);
  return { id, shape: [batch, rows] };
}

/** `conv2dFilterGradient` by `product`. The caller owns the result. */
export function convolveProductFilterGradient(
  tf: Tensorflow,
  input: Shaped,
  outputGradient: Shaped,
  filterShape: Shape,
): Made {
  const [rows, columns] = matrixOf(filterShape);
  const [batch] = input.shape;
  const attributes = { transpose_a: { kind: 'boolean', value: true } } as const;
  const id = tf.run('MatMul', [input.as([batch, rows]), outputGradient.as([batch, columns])], attributes);
  return { id, shape: [rows, columns] };
}

function matrixOf([height, width, inputs, outputs]: Shape): [rows: number, columns: number] {
  return [height * width * inputs, outputs];
}

/** `conv2d` by `taps`. The caller owns the result. */
export function convolveTaps(tf: Tensorflow, input: Shaped, filter: Shaped, options: Conv2dOptions): Made {
  const [batch, height, width, inputs] = input.shape;
  const [kernelHeight, kernelWidth, , outputs] = filter.shape;
  const { top, bottom, left, right } = options.padding;
  const pixels = input.as([batch * height * width, inputs]);
  // [taps x outputs, inputs]
  const byInput = tf.temporary('Transpose', [filter.id, tf.integers([0, 1, 3, 2])]);
  const taps = tf.keep(reshape(tf, byInput, [kernelHeight * kernelWidth * outputs, inputs]));
  const products = tf.temporary('MatMul', [taps, pixels], { transpose_b: { kind: 'boolean', value: true } });
  const maps = tf.keep(reshape(tf, products, [kernelHeight * kernelWidth, outputs * batch, height, width]));
  const paddings = [
    [0, 0],
    [0, 0],
    [top, bottom],
    [left, right],
  ] as const;
  const padded = tf.keep(pad(tf, maps, paddings, 0));
  tf.release(maps);
  const moved = eachTap(kernelHeight, kernelWidth, (row, column) =>
    tf.keep(slice(tf, padded, [row * kernelWidth + column, 0, row, column], [1, outputs * batch, height, width])),
  );
  const sum = tf.run('AddN', moved, { N: { kind: 'integer', value: moved.length }, T: FLOAT32 });
  if (outputs === 1) return { id: sum, shape: [1, batch, height, width] };
  tf.keep(sum);
  const apart = tf.keep(reshape(tf, sum, [outputs, batch, height, width]));
  return { id: tf.run('Transpose', [apart, tf.integers([1, 2, 3, 0])]), shape: [batch, height, width, outputs] };
}

/** `conv2dInputGradient` by `taps`: a convolution with the filter turned about. The caller owns the result. */
export function convolveTapsInputGradient(
  tf: Tensorflow,
  outputGradient: Shaped,
  filter: Shaped,
  { padding }: Conv2dOptions,
): TensorId {
  const [kernelHeight, kernelWidth] = filter.shape;
  const turned = tf.temporary('ReverseV2', [filter.id, tf.integers([0, 1])]);
  const adjoint = tf.temporary('Transpose', [turned, tf.integers([0, 1, 3, 2])]);
  const opposite = {
    top: kernelHeight - 1 - padding.top,
    bottom: kernelHeight - 1 - padding.bottom,
    left: kernelWidth - 1 - padding.left,
    right: kernelWidth - 1 - padding.right,
  };
  return tf.run('Conv2D', [outputGradient.id, adjoint], convolutionAttributes({ strides: [1, 1], padding: opposite }));
}

/** `conv2dFilterGradient` by `taps`. The caller owns the result. */
export function convolveTapsFilterGradient(
  tf: Tensorflow,
  input: Shaped,
  outputGradient: Shaped,
  filterShape: Shape,
  { padding }: Conv2dOptions,
): TensorId {
  const [batch, height, width, inputs] = input.shape;
  const [kernelHeight, kernelWidth, , outputs] = filterShape;
  const pixels = input.as([batch * height * width, inputs]);
  const byOutput =
    outputs === 1
      ? outputGradient.as([1, batch, height, width])
      : tf.temporary('Transpose', [outputGradient.id, tf.integers([3, 0, 1, 2])]);
  const paddings = [
    [0, 0],
    [0, 0],
    [kernelHeight - 1 - padding.top, kernelHeight - 1 - padding.bottom],
    [kernelWidth - 1 - padding.left, kernelWidth - 1 - padding.right],
  ] as const;
  const padded = tf.keep(pad(tf, byOutput, paddings, 0));
  const moved = eachTap(kernelHeight, kernelWidth, (row, column) => {
    const begin = [0, 0, kernelHeight - 1 - row, kernelWidth - 1 - column];
    return tf.keep(slice(tf, padded, begin, [outputs, batch, height, width]));
  });
  const joined = tf.keep(concat(tf, moved, 0));
  const taps = tf.keep(reshape(tf, joined, [kernelHeight * kernelWidth * outputs, batch * height * width]));
  const products = tf.temporary('MatMul', [taps, pixels]);
  const apart = tf.keep(reshape(tf, products, [kernelHeight, kernelWidth, outputs, inputs]));
  return tf.run('Transpose', [apart, tf.integers([0, 1, 3, 2])]);
}

function eachTap(height: number, width: number, run: (row: number, column: number) => TensorId): TensorId[] {
  return Array.from({ length: height * width }, (_, tap) => run(Math.floor(tap / width), tap % width));
}

function outputSize(size: number, kernel: number, stride: number, padding: number): number {
  return Math.floor((size + padding - kernel) / stride) + 1;
}
