import {
  DaflError,
  type AdamStepOptions,
  type AdamStepResult,
  type AveragePool2dOptions,
  type BatchNormGradient,
  type BatchNormResult,
  type BinaryOperation,
  type ChannelStatistics,
  type Conv2dOptions,
  type DataType,
  type FusedKernels,
  type MemoryInfo,
  type Pool2dOptions,
  type ReduceOperation,
  type RunningStatistics,
  type Shape,
  type Size2d,
  type SoftmaxDivergenceResult,
  type Tensor,
  type TensorBackend,
  type TensorData,
  type UnaryOperation,
} from '@dafl/core';
import {
  accumulateFilterGradient,
  canScatter,
  convolve,
  gatherAxis,
  scatterInputGradient,
  type TapGeometry,
} from './convolution.ts';
import * as ids from './kernel-ids.ts';
import { asFloat, KernelRunner, type KernelRunnerOptions } from './kernel-runner.ts';
import {
  upsampleConvolve,
  upsampleFilterGradient,
  upsampleInputGradient,
  type UpsampleGeometry,
} from './upsample-convolution.ts';

export type { KernelExports } from './kernel-runner.ts';

/** Elements of one chunk of an element-wise kernel: 64 kB of each array. */
const CHUNK_ELEMENTS = 16_384;

/** Rows of a matrix product that the filter gradient's kernel treats as one image. */
const MATRIX_ROW_PIXELS = 128;

const UNARY_IDS: Readonly<Record<UnaryOperation, number>> = {
  negate: ids.UNARY_NEGATE,
  abs: ids.UNARY_ABS,
  sign: ids.UNARY_SIGN,
  exp: ids.UNARY_EXP,
  log: ids.UNARY_LOG,
  sqrt: ids.UNARY_SQRT,
  square: ids.UNARY_SQUARE,
  reciprocal: ids.UNARY_RECIPROCAL,
  tanh: ids.UNARY_TANH,
  sigmoid: ids.UNARY_SIGMOID,
  erf: ids.UNARY_ERF,
  step: ids.UNARY_STEP,
};

const BINARY_IDS: Readonly<Record<BinaryOperation, number>> = {
  add: ids.BINARY_ADD,
  subtract: ids.BINARY_SUBTRACT,
  multiply: ids.BINARY_MULTIPLY,
  divide: ids.BINARY_DIVIDE,
  maximum: ids.BINARY_MAXIMUM,
  minimum: ids.BINARY_MINIMUM,
  greater: ids.BINARY_GREATER,
  equal: ids.BINARY_EQUAL,
};

/** Memory that tensors share after `reshape`. */
interface Storage {
  readonly address: number;
  readonly bytes: number;
  references: number;
}

/** A tensor of this backend. `storage` is null once it was disposed. */
class WasmTensor implements Tensor {
  readonly shape: Shape;
  readonly dataType: DataType;
  readonly size: number;
  readonly owner: WasmBackend;
  storage: Storage | null;

  constructor(owner: WasmBackend, shape: Shape, dataType: DataType, storage: Storage) {
    this.owner = owner;
    this.shape = shape;
    this.dataType = dataType;
    this.size = sizeOf(shape);
    this.storage = storage;
  }

  get address(): number {
    return this.storage!.address;
  }
}

function sizeOf(shape: Shape): number {
  let size = 1;
  for (const length of shape) size *= length;
  return size;
}

function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

function stridesOf(shape: Shape): number[] {
  const strides = Array.from<number>({ length: shape.length });
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

function haveEqualShapes(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

function broadcastShapes(left: Shape, right: Shape): number[] {
  const rank = Math.max(left.length, right.length);
  return Array.from({ length: rank }, (_, axis) => {
    const a = left[axis - rank + left.length] ?? 1;
    const b = right[axis - rank + right.length] ?? 1;
    return a === 1 ? b : a;
  });
}

function withoutLeadingOnes(shape: Shape): Shape {
  let first = 0;
  while (first < shape.length && shape[first] === 1) first += 1;
  return shape.slice(first);
}

/** How many times a row is repeated so that its length is a multiple of 4. */
function repeatsToVectors(length: number): number {
  if (length % 4 === 0) return 1;
  return length % 2 === 0 ? 2 : 4;
}

/** The backend behind `createWasmBackend`. */
export class WasmBackend implements TensorBackend {
  readonly name: string = 'wasm';
  readonly description: string;
  readonly fused: Partial<FusedKernels> = {
    batchNorm: (input, scale, offset, epsilon, running) => this.#batchNorm(input, scale, offset, epsilon, running),
    frozenBatchNorm: (input, mean, variance, scale, offset, epsilon) =>
      this.#frozenBatchNorm(input, mean, variance, scale, offset, epsilon),
    channelStatistics: (input) => this.#channelStatistics(input),
    clip: (input, low, high) => this.#mapElements(ids.KERNEL_CLIP, 1, 'clip', [input], [asFloat(low), asFloat(high)]),
    clipGradient: (outputGradient, input, low, high) =>
      this.#mapElements(
        ids.KERNEL_CLIP_GRADIENT,
        1,
        'clipGradient',
        [outputGradient, input],
        [asFloat(low), asFloat(high)],
      ),
    // Transcendental functions take some twenty times as long as the rest.
    gelu: (input) => this.#mapElements(ids.KERNEL_GELU, 8, 'gelu', [input], []),
    geluGradient: (outputGradient, input) =>
      this.#mapElements(ids.KERNEL_GELU_GRADIENT, 16, 'geluGradient', [outputGradient, input], []),
    batchNormGradient: (outputGradient, input, scale, mean, variance, epsilon) =>
      this.#batchNormGradient(outputGradient, input, scale, mean, variance, epsilon),
    adamStep: (parameter, gradient, firstMoment, secondMoment, options) =>
      this.#adamStep(parameter, gradient, firstMoment, secondMoment, options),
    upsampleConv2d: (input, filter, bias) => this.#upsampleConv2d(input, filter, bias),
    upsampleConv2dInputGradient: (outputGradient, filter) => this.#upsampleConv2dInputGradient(outputGradient, filter),
    upsampleConv2dFilterGradient: (input, outputGradient) => this.#upsampleConv2dFilterGradient(input, outputGradient),
    softmaxDivergence: (logits, target) => this.#softmaxDivergence(logits, target),
  };
  readonly #runner: KernelRunner;
  /** Tensors made since the innermost `#atomically` began. */
  #created: WasmTensor[] | null = null;
  #tensors = 0;
  #bytes = 0;
  #isClosed = false;

  constructor(options: KernelRunnerOptions & { readonly description: string }) {
    this.description = options.description;
    this.#runner = new KernelRunner(options);
  }

  // --- tensors ---

  tensor(data: TensorData, shape: Shape): Tensor {
    const isInteger = data instanceof Int32Array;
    const size = sizeOf(shape);
    if (size !== data.length) {
      throw new DaflError(
        'USAGE',
        `Cannot make a tensor as 'data' must have the ${size} elements of shape ${formatShape(shape)}: ` +
          `current length is ${data.length}`,
      );
    }
    const result = this.#create(shape, isInteger ? 'int32' : 'float32');
    if (isInteger) this.#integers(result).set(data);
    else this.#floats(result).set(data);
    return result;
  }

  fill(shape: Shape, value: number): Tensor {
    const result = this.#create(shape, 'float32');
    this.#fill(result.address, result.size, value);
    return result;
  }

  async read(tensor: Tensor): Promise<TensorData> {
    const source = this.#own(tensor, 'read', 'tensor');
    return source.dataType === 'int32' ? this.#integers(source).slice() : this.#floats(source).slice();
  }

  dispose(tensor: Tensor): void {
    const source = this.#own(tensor, 'dispose', 'tensor');
    const storage = source.storage!;
    source.storage = null;
    this.#tensors -= 1;
    storage.references -= 1;
    if (storage.references === 0) {
      this.#bytes -= storage.bytes;
      this.#runner.heap.free(storage.address);
    }
  }

  memory(): MemoryInfo {
    return { tensors: this.#tensors, bytes: this.#bytes };
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#tensors = 0;
    this.#bytes = 0;
    await this.#runner.close();
  }

  // --- shape and movement ---

  reshape(input: Tensor, shape: Shape): Tensor {
    const source = this.#own(input, 'reshape', 'input');
    if (sizeOf(shape) !== source.size) {
      throw new DaflError(
        'USAGE',
        `Cannot reshape as 'shape' must have ${source.size} elements: current value is ${formatShape(shape)}`,
      );
    }
    const storage = source.storage!;
    storage.references += 1;
    this.#tensors += 1;
    return new WasmTensor(this, [...shape], source.dataType, storage);
  }

  transpose(input: Tensor, permutation: readonly number[]): Tensor {
    const source = this.#own(input, 'transpose', 'input');
    const strides = stridesOf(source.shape);
    const shape = permutation.map((axis) => source.shape[axis]);
    const result = this.#create(shape, source.dataType);
    const from = permutation.map((axis) => strides[axis]);
    this.#copyStrided(source.address, from, result.address, stridesOf(shape), shape);
    return result;
  }

  broadcast(input: Tensor, shape: Shape): Tensor {
    const source = this.#own(input, 'broadcast', 'input');
    const result = this.#create(shape, 'float32');
    const own = stridesOf(source.shape);
    const strides = shape.map((_, axis) => (source.shape[axis] === 1 ? 0 : own[axis]));
    if (source.size === 1) this.#fill(result.address, result.size, this.#floats(source)[0]);
    else this.#copyStrided(source.address, strides, result.address, stridesOf(shape), shape);
    return result;
  }

  pad(input: Tensor, paddings: readonly (readonly [before: number, after: number])[], value: number): Tensor {
    const source = this.#own(input, 'pad', 'input');
    const shape = source.shape.map((length, axis) => length + paddings[axis][0] + paddings[axis][1]);
    const result = this.#create(shape, source.dataType);
    this.#fill(result.address, result.size, value, source.dataType);
    const strides = stridesOf(shape);
    const start = strides.reduce((sum, stride, axis) => sum + stride * paddings[axis][0], 0);
    this.#copyStrided(source.address, stridesOf(source.shape), result.address + start * 4, strides, source.shape);
    return result;
  }

  slice(input: Tensor, begin: readonly number[], size: readonly number[]): Tensor {
    const source = this.#own(input, 'slice', 'input');
    const result = this.#create([...size], source.dataType);
    const strides = stridesOf(source.shape);
    const start = strides.reduce((sum, stride, axis) => sum + stride * begin[axis], 0);
    this.#copyStrided(source.address + start * 4, strides, result.address, stridesOf(size), size);
    return result;
  }

  concat(inputs: readonly Tensor[], axis: number): Tensor {
    const sources = inputs.map((input) => this.#own(input, 'concatenate', 'inputs'));
    const shape = [...sources[0].shape];
    shape[axis] = sources.reduce((sum, source) => sum + source.shape[axis], 0);
    const result = this.#create(shape, sources[0].dataType);
    const strides = stridesOf(shape);
    let start = 0;
    for (const source of sources) {
      const to = result.address + start * strides[axis] * 4;
      this.#copyStrided(source.address, stridesOf(source.shape), to, strides, source.shape);
      start += source.shape[axis];
    }
    return result;
  }

  // --- element-wise ---

  unary(operation: UnaryOperation, input: Tensor): Tensor {
    const source = this.#own(input, operation, 'input');
    const result = this.#create(source.shape, 'float32');
    const id = UNARY_IDS[operation];
    // Transcendental functions take some twenty times as long as the rest.
    this.#runElementWise(ids.KERNEL_UNARY, source.size, source.size * 8, [
      id,
      source.address,
      result.address,
      source.size,
      CHUNK_ELEMENTS,
    ]);
    return result;
  }

  binary(operation: BinaryOperation, left: Tensor, right: Tensor): Tensor {
    return this.#atomically(() => {
      const a = this.#own(left, operation, 'left');
      const b = this.#own(right, operation, 'right');
      const shape = broadcastShapes(a.shape, b.shape);
      const size = sizeOf(shape);
      const result = this.#create(shape, 'float32');
      const id = BINARY_IDS[operation];
      if (size === 0) return result;
      if (a.size === size && b.size === size) {
        this.#runBinary(id, ids.FORM_SAME, a.address, b.address, result, 4);
      } else if (a.size === size && b.size === 1) {
        this.#runBinary(id, ids.FORM_RIGHT_SCALAR, a.address, b.address, result, 4);
      } else if (b.size === size && a.size === 1) {
        this.#runBinary(id, ids.FORM_LEFT_SCALAR, a.address, b.address, result, 4);
      } else if (a.size === size && this.#runBinaryVector(id, a, b, result, true)) {
        return result;
      } else if (b.size === size && this.#runBinaryVector(id, b, a, result, false)) {
        return result;
      } else {
        // Rare: bring both to the full shape first.
        this.#withBroadcast(a, shape, (leftAddress) =>
          this.#withBroadcast(b, shape, (rightAddress) =>
            this.#runBinary(id, ids.FORM_SAME, leftAddress, rightAddress, result, 4),
          ),
        );
      }
      return result;
    });
  }

  affine(input: Tensor, factor: number, summand: number): Tensor {
    const source = this.#own(input, 'compute affine', 'input');
    const result = this.#create(source.shape, 'float32');
    this.#runElementWise(ids.KERNEL_AFFINE, source.size, source.size, [
      source.address,
      result.address,
      source.size,
      CHUNK_ELEMENTS,
      asFloat(factor),
      asFloat(summand),
    ]);
    return result;
  }

  leakyRelu(input: Tensor, slope: number): Tensor {
    return this.#mapElements(ids.KERNEL_LEAKY_RELU, 1, 'leakyRelu', [input], [asFloat(slope)]);
  }

  leakyReluGradient(outputGradient: Tensor, output: Tensor, slope: number): Tensor {
    const inputs = [outputGradient, output];
    return this.#mapElements(ids.KERNEL_LEAKY_RELU_GRADIENT, 1, 'leakyReluGradient', inputs, [asFloat(slope)]);
  }

  // --- reductions ---

  reduce(operation: ReduceOperation, input: Tensor, axes: readonly number[], keepDimensions: boolean): Tensor {
    return this.#atomically(() => {
      const source = this.#own(input, `reduce (${operation})`, 'input');
      const isReduced = source.shape.map((_, axis) => axes.includes(axis));
      const shape = keepDimensions
        ? source.shape.map((length, axis) => (isReduced[axis] ? 1 : length))
        : source.shape.filter((_, axis) => !isReduced[axis]);
      const result = this.#create(shape, 'float32');
      if (result.size === 0) return result;
      const count = source.size / result.size;
      const id = operation === 'max' ? ids.REDUCE_MAX : ids.REDUCE_SUM;
      if (source.size === 0) {
        this.#fill(result.address, result.size, operation === 'max' ? -Infinity : operation === 'sum' ? 0 : NaN);
        return result;
      }
      const factor = operation === 'mean' ? 1 / count : 1;

      // Neighbouring axes of one kind count as one axis.
      const groups: { isReduced: boolean; length: number }[] = [];
      source.shape.forEach((length, axis) => {
        if (length === 1) return;
        const last = groups.at(-1);
        if (last !== undefined && last.isReduced === isReduced[axis]) last.length *= length;
        else groups.push({ isReduced: isReduced[axis], length });
      });
      const firstReduced = groups.findIndex((group) => group.isReduced);
      if (groups.filter((group) => group.isReduced).length <= 1) {
        const outer = groups.slice(0, Math.max(firstReduced, 0)).reduce((product, group) => product * group.length, 1);
        this.#reduceMiddle(id, source.address, result.address, outer, count, result.size / outer, factor);
        return result;
      }
      // Several separate axes: move them to the end.
      const kept = source.shape.map((_, axis) => axis).filter((axis) => !isReduced[axis]);
      const moved = this.transpose(source, [...kept, ...axes]) as WasmTensor;
      this.#reduceMiddle(id, moved.address, result.address, result.size, count, 1, factor);
      this.dispose(moved);
      return result;
    });
  }

  argMax(input: Tensor): Tensor {
    const source = this.#own(input, 'compute argMax', 'input');
    const columns = source.shape.at(-1)!;
    const result = this.#create(source.shape.slice(0, -1), 'int32');
    const rowsPerChunk = Math.max(1, Math.floor(CHUNK_ELEMENTS / Math.max(1, columns)));
    this.#run(ids.KERNEL_ARG_MAX, Math.ceil(result.size / rowsPerChunk), source.size, [
      source.address,
      result.address,
      result.size,
      columns,
      rowsPerChunk,
    ]);
    return result;
  }

  oneHot(indices: Tensor, depth: number): Tensor {
    const source = this.#own(indices, 'compute oneHot', 'indices');
    const result = this.#create([...source.shape, depth], 'float32');
    this.#fill(result.address, result.size, 0);
    this.#run(ids.KERNEL_ONE_HOT, 1, 0, [source.address, result.address, source.size, depth]);
    return result;
  }

  // --- matrices ---

  matMul(left: Tensor, right: Tensor, transposeLeft: boolean, transposeRight: boolean): Tensor {
    return this.#atomically(() => {
      const a = this.#own(left, 'compute matMul', 'left');
      const b = this.#own(right, 'compute matMul', 'right');
      const rows = a.shape[transposeLeft ? 1 : 0];
      const depth = a.shape[transposeLeft ? 0 : 1];
      const columns = b.shape[transposeRight ? 0 : 1];
      const result = this.#create([rows, columns], 'float32');
      if (!transposeLeft) {
        this.#multiply(a.address, b.address, 0, result.address, rows, depth, columns, transposeRight);
      } else if (!transposeRight) {
        this.#multiplyTransposed(a.address, b.address, result.address, rows, depth, columns);
      } else {
        const turned = this.transpose(b, [1, 0]) as WasmTensor;
        this.#multiplyTransposed(a.address, turned.address, result.address, rows, depth, columns);
        this.dispose(turned);
      }
      return result;
    });
  }

  // --- convolution ---

  conv2d(input: Tensor, filter: Tensor, bias: Tensor | null, options: Conv2dOptions): Tensor {
    return this.#atomically(() => {
      const x = this.#own(input, 'compute conv2d', 'input');
      const w = this.#own(filter, 'compute conv2d', 'filter');
      const b = bias === null ? 0 : this.#own(bias, 'compute conv2d', 'bias').address;
      const geometry = tapGeometry(x.shape, w.shape, options);
      const [batch, height, width, channels] = x.shape as [number, number, number, number];
      const { outputHeight, outputWidth } = geometry;
      const outputChannels = w.shape[3];
      const result = this.#create([batch, outputHeight, outputWidth, outputChannels], 'float32');
      if (result.size === 0) return result;
      if (isDepthwise(x.shape, w.shape, options)) {
        const values = [x.address, result.address, w.address];
        this.#runDepthwise(ids.KERNEL_DEPTHWISE, values, x.shape, w.shape, geometry, b);
        return result;
      }
      const asMatrix = matrixForm(x.shape, w.shape, geometry, options);
      if (asMatrix !== null) {
        this.#multiply(x.address, w.address, b, result.address, asMatrix.rows, asMatrix.depth, outputChannels, false);
        return result;
      }
      const { groups } = options;
      const [tapsDown, tapsAcross] = geometry.taps;
      const inputs = channels / groups;
      const outputs = outputChannels / groups;
      for (let group = 0; group < groups; group++) {
        convolve(
          this.#runner,
          {
            address: x.address,
            image: { batch, height, width, channels },
            firstChannel: group * inputs,
            channels: inputs,
          },
          geometry,
          {
            address: w.address + group * outputs * 4,
            bias: b === 0 ? 0 : b + group * outputs * 4,
            sizes: [tapsDown, tapsAcross, inputs],
            strides: [tapsAcross * inputs * outputChannels, inputs * outputChannels, outputChannels],
            columns: outputs,
            columnStride: 1,
          },
          {
            address: result.address + group * outputs * 4,
            image: outputHeight * outputWidth * outputChannels,
            row: outputWidth * outputChannels,
            column: outputChannels,
          },
        );
      }
      return result;
    });
  }

  conv2dInputGradient(outputGradient: Tensor, filter: Tensor, inputShape: Shape, options: Conv2dOptions): Tensor {
    return this.#atomically(() => {
      const g = this.#own(outputGradient, 'compute conv2dInputGradient', 'outputGradient');
      const w = this.#own(filter, 'compute conv2dInputGradient', 'filter');
      const geometry = tapGeometry(inputShape, w.shape, options);
      const [batch, height, width, channels] = inputShape as readonly [number, number, number, number];
      const { outputHeight, outputWidth } = geometry;
      const outputChannels = w.shape[3];
      const result = this.#create(inputShape, 'float32');
      if (result.size === 0) return result;
      if (g.size === 0) {
        this.#fill(result.address, result.size, 0);
        return result;
      }
      if (isDepthwise(inputShape, w.shape, options)) {
        const values = [result.address, g.address, w.address];
        this.#runDepthwise(ids.KERNEL_DEPTHWISE_INPUT_GRADIENT, values, inputShape, w.shape, geometry, 0);
        return result;
      }
      const asMatrix = matrixForm(inputShape, w.shape, geometry, options);
      if (asMatrix !== null) {
        this.#multiply(g.address, w.address, 0, result.address, asMatrix.rows, outputChannels, asMatrix.depth, true);
        return result;
      }
      if (canScatter(geometry, inputShape, w.shape, options)) {
        const addresses = { outputGradient: g.address, filter: w.address, inputGradient: result.address };
        scatterInputGradient(this.#runner, geometry, inputShape, outputChannels, addresses);
        return result;
      }
      const { groups } = options;
      const [strideDown, strideAcross] = options.strides;
      const [tapsDown, tapsAcross] = geometry.taps;
      const inputs = channels / groups;
      const outputs = outputChannels / groups;
      const down = Array.from({ length: strideDown }, (_, i) => gatherAxis(0, i, height, tapsDown, options));
      const across = Array.from({ length: strideAcross }, (_, i) => gatherAxis(1, i, width, tapsAcross, options));
      // Inputs that no window reaches.
      if ([...down, ...across].some((axis) => axis.taps === 0)) this.#fill(result.address, result.size, 0);
      for (let group = 0; group < groups; group++) {
        down.forEach((vertical, row) => {
          across.forEach((horizontal, column) => {
            if (vertical.taps === 0 || horizontal.taps === 0 || vertical.count === 0 || horizontal.count === 0) return;
            const firstTap = vertical.firstTap * tapsAcross + horizontal.firstTap;
            convolve(
              this.#runner,
              {
                address: g.address,
                image: { batch, height: outputHeight, width: outputWidth, channels: outputChannels },
                firstChannel: group * outputs,
                channels: outputs,
              },
              {
                strides: [1, 1],
                taps: [vertical.taps, horizontal.taps],
                dilations: [vertical.dilation, horizontal.dilation],
                top: vertical.before,
                left: horizontal.before,
                outputHeight: vertical.count,
                outputWidth: horizontal.count,
              },
              {
                address: w.address + (firstTap * inputs * outputChannels + group * outputs) * 4,
                bias: 0,
                sizes: [vertical.taps, horizontal.taps, outputs],
                strides: [
                  -vertical.tapStep * tapsAcross * inputs * outputChannels,
                  -horizontal.tapStep * inputs * outputChannels,
                  1,
                ],
                columns: inputs,
                columnStride: outputChannels,
              },
              {
                address: result.address + ((row * width + column) * channels + group * inputs) * 4,
                image: height * width * channels,
                row: strideDown * width * channels,
                column: strideAcross * channels,
              },
            );
          });
        });
      }
      return result;
    });
  }

  conv2dFilterGradient(input: Tensor, outputGradient: Tensor, filterShape: Shape, options: Conv2dOptions): Tensor {
    return this.#atomically(() => {
      const x = this.#own(input, 'compute conv2dFilterGradient', 'input');
      const g = this.#own(outputGradient, 'compute conv2dFilterGradient', 'outputGradient');
      const geometry = tapGeometry(x.shape, filterShape, options);
      const [batch, height, width, channels] = x.shape as [number, number, number, number];
      const outputChannels = filterShape[3];
      const result = this.#create(filterShape, 'float32');
      if (result.size === 0) return result;
      if (g.size === 0) {
        this.#fill(result.address, result.size, 0);
        return result;
      }
      if (isDepthwise(x.shape, filterShape, options)) {
        this.#depthwiseFilterGradient(x, g, result, geometry);
        return result;
      }
      const asMatrix = matrixForm(x.shape, filterShape, geometry, options);
      if (asMatrix !== null) {
        const { rows, depth } = asMatrix;
        this.#multiplyTransposed(x.address, g.address, result.address, depth, rows, outputChannels);
        return result;
      }
      const inputs = channels / options.groups;
      const outputs = outputChannels / options.groups;
      for (let group = 0; group < options.groups; group++) {
        accumulateFilterGradient(
          this.#runner,
          {
            address: x.address,
            image: { batch, height, width, channels },
            firstChannel: group * inputs,
            channels: inputs,
          },
          geometry,
          { address: g.address, channels: outputChannels, firstChannel: group * outputs, columns: outputs },
          result.address,
          0,
        );
      }
      return result;
    });
  }

  // --- pooling and resampling ---

  maxPool2d(input: Tensor, options: Pool2dOptions): Tensor {
    const x = this.#own(input, 'compute maxPool2d', 'input');
    const result = this.#create(pooledShape(x.shape, options), 'float32');
    this.#runPool(ids.KERNEL_MAX_POOL, x.shape, result.shape, options, x.address, result.address, 0, [0, 0]);
    return result;
  }

  maxPool2dGradient(outputGradient: Tensor, input: Tensor, output: Tensor, options: Pool2dOptions): Tensor {
    const g = this.#own(outputGradient, 'compute maxPool2dGradient', 'outputGradient');
    const x = this.#own(input, 'compute maxPool2dGradient', 'input');
    const y = this.#own(output, 'compute maxPool2dGradient', 'output');
    const result = this.#create(x.shape, 'float32');
    const gradients: [number, number] = [g.address, result.address];
    this.#runPool(ids.KERNEL_MAX_POOL_GRADIENT, x.shape, y.shape, options, x.address, y.address, 0, gradients);
    return result;
  }

  averagePool2d(input: Tensor, options: AveragePool2dOptions): Tensor {
    const x = this.#own(input, 'compute averagePool2d', 'input');
    const result = this.#create(pooledShape(x.shape, options), 'float32');
    const countsPadding = options.countsPadding ? 1 : 0;
    const addresses: [number, number] = [0, 0];
    this.#runPool(
      ids.KERNEL_AVERAGE_POOL,
      x.shape,
      result.shape,
      options,
      x.address,
      result.address,
      countsPadding,
      addresses,
    );
    return result;
  }

  averagePool2dGradient(outputGradient: Tensor, inputShape: Shape, options: AveragePool2dOptions): Tensor {
    const g = this.#own(outputGradient, 'compute averagePool2dGradient', 'outputGradient');
    const result = this.#create(inputShape, 'float32');
    const countsPadding = options.countsPadding ? 1 : 0;
    this.#runPool(ids.KERNEL_AVERAGE_POOL_GRADIENT, inputShape, g.shape, options, 0, 0, countsPadding, [
      g.address,
      result.address,
    ]);
    return result;
  }

  upsampleNearest2d(input: Tensor, factors: Size2d): Tensor {
    const x = this.#own(input, 'compute upsampleNearest2d', 'input');
    const [batch, height, width, channels] = x.shape as [number, number, number, number];
    const result = this.#create([batch, height * factors[0], width * factors[1], channels], 'float32');
    this.#runUpsample(ids.KERNEL_UPSAMPLE, x.address, result.address, x.shape, factors);
    return result;
  }

  upsampleNearest2dGradient(outputGradient: Tensor, factors: Size2d): Tensor {
    const g = this.#own(outputGradient, 'compute upsampleNearest2dGradient', 'outputGradient');
    const [batch, height, width, channels] = g.shape as [number, number, number, number];
    const result = this.#create([batch, height / factors[0], width / factors[1], channels], 'float32');
    this.#runUpsample(ids.KERNEL_UPSAMPLE_GRADIENT, g.address, result.address, result.shape, factors);
    return result;
  }

  // --- fused ---

  #batchNorm(
    input: Tensor,
    scale: Tensor | null,
    offset: Tensor | null,
    epsilon: number,
    running: RunningStatistics | null,
  ): BatchNormResult {
    return this.#atomically(() => {
      const x = this.#own(input, 'compute batchNorm', 'input');
      const scaleAddress = scale === null ? 0 : this.#own(scale, 'compute batchNorm', 'scale').address;
      const offsetAddress = offset === null ? 0 : this.#own(offset, 'compute batchNorm', 'offset').address;
      const plan = batchNormPlan(x.shape);
      const output = this.#create(x.shape, 'float32');
      const statistics = (): WasmTensor => this.#create([plan.channels], 'float32');
      const [mean, variance] = [statistics(), statistics()];
      const moved = running && { mean: statistics(), variance: statistics() };
      if (x.size === 0) {
        for (const { address, size } of [mean, variance, ...Object.values(moved ?? {})]) this.#fill(address, size, NaN);
        return { output, mean, variance, running: moved };
      }
      let moving: number[] = [];
      if (running !== null) {
        const count = x.size / plan.channels;
        moving = [
          this.#own(running.mean, 'compute batchNorm', 'running.mean').address,
          this.#own(running.variance, 'compute batchNorm', 'running.variance').address,
          moved!.mean.address,
          moved!.variance.address,
          asFloat(1 - running.momentum),
          asFloat(running.momentum),
          asFloat((running.momentum * count) / Math.max(1, count - 1)),
        ];
      }
      this.#runner.withTemporary(plan.period * 3 * 4, (table) => {
        const weights = [scaleAddress, offsetAddress, asFloat(epsilon), table];
        this.#takeStatistics(x, plan, mean, variance, weights, moving);
        this.#normalize(x, plan, table, output);
      });
      return { output, mean, variance, running: moved };
    });
  }

  #channelStatistics(input: Tensor): ChannelStatistics {
    return this.#atomically(() => {
      const x = this.#own(input, 'compute channelStatistics', 'input');
      const plan = batchNormPlan(x.shape);
      const mean = this.#create([plan.channels], 'float32');
      const variance = this.#create([plan.channels], 'float32');
      if (x.size > 0) this.#takeStatistics(x, plan, mean, variance, [0, 0, 0, 0], []);
      else for (const { address, size } of [mean, variance]) this.#fill(address, size, NaN);
      return { mean, variance };
    });
  }

  #frozenBatchNorm(
    input: Tensor,
    mean: Tensor | null,
    variance: Tensor,
    scale: Tensor | null,
    offset: Tensor | null,
    epsilon: number,
  ): Tensor {
    return this.#atomically(() => {
      const action = 'compute frozenBatchNorm';
      const addressOf = (tensor: Tensor | null, name: string): number =>
        tensor === null ? 0 : this.#own(tensor, action, name).address;
      const x = this.#own(input, action, 'input');
      const plan = batchNormPlan(x.shape);
      const output = this.#create(x.shape, 'float32');
      this.#runner.withTemporary(plan.period * 3 * 4, (table) => {
        this.#run(ids.KERNEL_FROZEN_TABLE, 1, plan.period, [
          addressOf(mean, 'mean'),
          addressOf(variance, 'variance'),
          addressOf(scale, 'scale'),
          addressOf(offset, 'offset'),
          asFloat(epsilon),
          table,
          plan.period,
          plan.channels,
        ]);
        this.#normalize(x, plan, table, output);
      });
      return output;
    });
  }

  /**
   * Mean and variance of each channel.
   *
   * @param weights Scale, offset, epsilon and the table of `#normalize` that is made of them, or 0 for none.
   * @param moving The kernel's arguments for running statistics; empty for none.
   */
  #takeStatistics(
    x: WasmTensor,
    plan: BatchNormPlan,
    mean: WasmTensor,
    variance: WasmTensor,
    weights: readonly number[],
    moving: readonly number[],
  ): void {
    this.#runner.withTemporary(plan.chunks * plan.columns * 2 * 4, (partials) => {
      this.#run(ids.KERNEL_BATCH_STATISTICS, plan.chunks, x.size, [
        x.address,
        partials,
        plan.rows,
        plan.columns,
        plan.rowsPerChunk,
      ]);
      this.#run(ids.KERNEL_COMBINE_BATCH_STATISTICS, Math.ceil(plan.channels / 16), plan.chunks * plan.columns * 8, [
        partials,
        mean.address,
        variance.address,
        plan.chunks,
        plan.columns,
        plan.fold,
        plan.rows,
        plan.rowsPerChunk,
        ...weights,
        plan.period,
        16,
        ...(moving.length === 0 ? [0] : moving),
      ]);
    });
  }

  #normalize(x: WasmTensor, plan: BatchNormPlan, table: number, output: WasmTensor): void {
    this.#run(ids.KERNEL_NORMALIZE, Math.ceil(x.size / plan.chunkSize), x.size, [
      x.address,
      output.address,
      x.size,
      plan.chunkSize,
      plan.period,
      table,
    ]);
  }

  #batchNormGradient(
    outputGradient: Tensor,
    input: Tensor,
    scale: Tensor | null,
    mean: Tensor,
    variance: Tensor,
    epsilon: number,
  ): BatchNormGradient {
    return this.#atomically(() => {
      const action = 'compute batchNormGradient';
      const g = this.#own(outputGradient, action, 'outputGradient');
      const x = this.#own(input, action, 'input');
      const scaleAddress = scale === null ? 0 : this.#own(scale, action, 'scale').address;
      const means = this.#own(mean, action, 'mean');
      const variances = this.#own(variance, action, 'variance');
      const plan = batchNormPlan(x.shape);
      const inputGradient = this.#create(x.shape, 'float32');
      const scaleGradient = this.#create([plan.channels], 'float32');
      const offsetGradient = this.#create([plan.channels], 'float32');
      if (x.size === 0) {
        this.#fill(scaleGradient.address, plan.channels, 0);
        this.#fill(offsetGradient.address, plan.channels, 0);
        return { inputGradient, scaleGradient, offsetGradient };
      }
      const rowBytes = plan.columns * 4;
      const tableBytes = plan.period * 4 * 4;
      this.#runner.withTemporary((plan.chunks * 2 + 1) * rowBytes + tableBytes, (table) => {
        const meanRow = table + tableBytes;
        const partials = meanRow + rowBytes;
        this.#copyStrided(means.address, [0, 1], meanRow, [plan.channels, 1], [plan.fold, plan.channels]);
        this.#run(ids.KERNEL_BATCH_GRADIENT_SUMS, plan.chunks, x.size * 2, [
          g.address,
          x.address,
          meanRow,
          partials,
          plan.rows,
          plan.columns,
          plan.rowsPerChunk,
        ]);
        this.#run(ids.KERNEL_COMBINE_BATCH_GRADIENT, Math.ceil(plan.channels / 16), plan.chunks * plan.columns * 4, [
          partials,
          plan.chunks,
          plan.columns,
          plan.fold,
          x.size / plan.channels,
          means.address,
          variances.address,
          scaleAddress,
          asFloat(epsilon),
          scaleGradient.address,
          offsetGradient.address,
          table,
          plan.period,
          16,
        ]);
        this.#run(ids.KERNEL_NORMALIZE_GRADIENT, Math.ceil(x.size / plan.chunkSize), x.size * 2, [
          g.address,
          x.address,
          inputGradient.address,
          x.size,
          plan.chunkSize,
          plan.period,
          table,
        ]);
      });
      return { inputGradient, scaleGradient, offsetGradient };
    });
  }

  #adamStep(
    parameter: Tensor,
    gradient: Tensor,
    firstMoment: Tensor,
    secondMoment: Tensor,
    options: AdamStepOptions,
  ): AdamStepResult {
    return this.#atomically(() => {
      const p = this.#own(parameter, 'compute adamStep', 'parameter');
      const g = this.#own(gradient, 'compute adamStep', 'gradient');
      const m = this.#own(firstMoment, 'compute adamStep', 'firstMoment');
      const v = this.#own(secondMoment, 'compute adamStep', 'secondMoment');
      const result = {
        parameter: this.#create(p.shape, 'float32'),
        firstMoment: this.#create(p.shape, 'float32'),
        secondMoment: this.#create(p.shape, 'float32'),
      };
      this.#runElementWise(ids.KERNEL_ADAM, p.size, p.size * 4, [
        p.address,
        g.address,
        m.address,
        v.address,
        result.parameter.address,
        result.firstMoment.address,
        result.secondMoment.address,
        p.size,
        CHUNK_ELEMENTS,
        asFloat(options.stepSize),
        asFloat(options.beta1),
        asFloat(1 - options.beta1),
        asFloat(options.beta2),
        asFloat(1 - options.beta2),
        asFloat(options.secondMomentCorrection),
        asFloat(options.epsilon),
      ]);
      return result;
    });
  }

  #upsampleConv2d(input: Tensor, filter: Tensor, bias: Tensor | null): Tensor {
    return this.#atomically(() => {
      const x = this.#own(input, 'compute upsampleConv2d', 'input');
      const w = this.#own(filter, 'compute upsampleConv2d', 'filter');
      const b = bias === null ? 0 : this.#own(bias, 'compute upsampleConv2d', 'bias').address;
      const geometry = upsampleGeometry(x.shape, w.shape[3]);
      const result = this.#create(
        [geometry.batch, 2 * geometry.height, 2 * geometry.width, geometry.outputs],
        'float32',
      );
      if (result.size === 0) return result;
      upsampleConvolve(this.#runner, geometry, {
        input: x.address,
        filter: w.address,
        bias: b,
        output: result.address,
      });
      return result;
    });
  }

  #upsampleConv2dInputGradient(outputGradient: Tensor, filter: Tensor): Tensor {
    return this.#atomically(() => {
      const g = this.#own(outputGradient, 'compute upsampleConv2dInputGradient', 'outputGradient');
      const w = this.#own(filter, 'compute upsampleConv2dInputGradient', 'filter');
      const [batch, height, width, outputs] = g.shape as [number, number, number, number];
      const shape = [batch, height / 2, width / 2, w.shape[2]];
      const result = this.#create(shape, 'float32');
      if (g.size === 0) this.#fill(result.address, result.size, 0);
      if (result.size === 0 || g.size === 0) return result;
      upsampleInputGradient(this.#runner, upsampleGeometry(shape, outputs), {
        outputGradient: g.address,
        filter: w.address,
        inputGradient: result.address,
      });
      return result;
    });
  }

  #upsampleConv2dFilterGradient(input: Tensor, outputGradient: Tensor): Tensor {
    return this.#atomically(() => {
      const x = this.#own(input, 'compute upsampleConv2dFilterGradient', 'input');
      const g = this.#own(outputGradient, 'compute upsampleConv2dFilterGradient', 'outputGradient');
      const geometry = upsampleGeometry(x.shape, g.shape[3]);
      const result = this.#create([3, 3, geometry.inputs, geometry.outputs], 'float32');
      if (x.size === 0 || g.size === 0) this.#fill(result.address, result.size, 0);
      if (result.size === 0 || x.size === 0 || g.size === 0) return result;
      const addresses = { input: x.address, outputGradient: g.address };
      upsampleFilterGradient(this.#runner, geometry, addresses, (parts, count) =>
        this.#reduceMiddle(ids.REDUCE_SUM, parts, result.address, 1, count, result.size, 1),
      );
      return result;
    });
  }

  #softmaxDivergence(logits: Tensor, target: Tensor): SoftmaxDivergenceResult {
    return this.#atomically(() => {
      const x = this.#own(logits, 'compute softmaxDivergence', 'logits');
      const t = this.#own(target, 'compute softmaxDivergence', 'target');
      const [batch, classes] = x.shape as [number, number];
      const divergence = this.#create([batch], 'float32');
      const logitsGradient = this.#create(x.shape, 'float32');
      const rowsPerChunk = Math.max(1, Math.floor(2048 / Math.max(1, classes)));
      // Three transcendental functions an element, each some eight times as long as the rest.
      this.#run(ids.KERNEL_SOFTMAX_DIVERGENCE, Math.ceil(batch / rowsPerChunk), x.size * 24, [
        x.address,
        t.address,
        divergence.address,
        logitsGradient.address,
        batch,
        classes,
        rowsPerChunk,
      ]);
      return { divergence, logitsGradient };
    });
  }

  // --- inner workings ---

  /** Checks a handle: a live tensor of this backend, which itself must be open. */
  #own(tensor: Tensor, action: string, parameter: string): WasmTensor {
    this.#mustBeOpen(action);
    if (!(tensor instanceof WasmTensor) || tensor.owner !== this) {
      throw new DaflError(
        'USAGE',
        `Cannot ${action} as '${parameter}' must be a tensor of this wasm backend: current value is ` +
          (tensor instanceof WasmTensor ? "another wasm backend's" : "another backend's"),
      );
    }
    if (tensor.storage === null) {
      throw new DaflError(
        'USAGE',
        `Cannot ${action} as '${parameter}' must be a live tensor: current value is a disposed tensor of shape ` +
          formatShape(tensor.shape),
      );
    }
    return tensor;
  }

  #mustBeOpen(action: string): void {
    if (this.#isClosed) {
      throw new DaflError('USAGE', `Cannot ${action} as the wasm backend must be open: current state is closed`);
    }
  }

  /** Runs `body`; if it throws, as it does when memory runs out, what it had created is freed. */
  #atomically<Result>(body: () => Result): Result {
    const outer = this.#created;
    const created: WasmTensor[] = [];
    this.#created = created;
    try {
      return body();
    } catch (error) {
      for (const tensor of created) if (tensor.storage !== null) this.dispose(tensor);
      throw error;
    } finally {
      this.#created = outer;
    }
  }

  #create(shape: Shape, dataType: DataType): WasmTensor {
    this.#mustBeOpen('make a tensor');
    const bytes = sizeOf(shape) * 4;
    const address = this.#runner.heap.allocate(bytes, `a tensor of shape ${formatShape(shape)}`);
    this.#tensors += 1;
    this.#bytes += bytes;
    const tensor = new WasmTensor(this, [...shape], dataType, { address, bytes, references: 1 });
    this.#created?.push(tensor);
    return tensor;
  }

  #floats(tensor: WasmTensor): Float32Array {
    return new Float32Array(this.#runner.heap.memory.buffer, tensor.address, tensor.size);
  }

  #integers(tensor: WasmTensor): Int32Array {
    return new Int32Array(this.#runner.heap.memory.buffer, tensor.address, tensor.size);
  }

  #run(kernel: number, chunkCount: number, work: number, values: readonly number[]): void {
    if (chunkCount > 0) this.#runner.run(kernel, chunkCount, work, values);
  }

  #runElementWise(kernel: number, count: number, work: number, values: readonly number[]): void {
    this.#run(kernel, Math.ceil(count / CHUNK_ELEMENTS), work, values);
  }

  /** Runs a kernel of elements at one place: of the inputs, the result, the count, the chunk and `numbers`. */
  #mapElements(
    kernel: number,
    workOfElement: number,
    name: string,
    inputs: readonly Tensor[],
    numbers: readonly number[],
  ): Tensor {
    const sources = inputs.map((input) => this.#own(input, `compute ${name}`, 'input'));
    const [{ shape, size }] = sources;
    const result = this.#create(shape, 'float32');
    const addresses = sources.map(({ address }) => address);
    this.#runElementWise(kernel, size, size * workOfElement, [
      ...addresses,
      result.address,
      size,
      CHUNK_ELEMENTS,
      ...numbers,
    ]);
    return result;
  }

  #fill(address: number, count: number, value: number, dataType: DataType = 'float32'): void {
    this.#runElementWise(ids.KERNEL_FILL, count, count, [
      address,
      count,
      CHUNK_ELEMENTS,
      dataType === 'int32' ? value : asFloat(value),
    ]);
  }

  /** Copies a block between strided arrays; strides count elements and may be 0 on the input's side. */
  #copyStrided(
    from: number,
    fromStrides: readonly number[],
    to: number,
    toStrides: readonly number[],
    shape: Shape,
  ): void {
    const total = sizeOf(shape);
    if (total === 0) return;
    const sizes: number[] = [];
    const sources: number[] = [];
    const targets: number[] = [];
    // Axes that lie end to end on both sides are one axis.
    shape.forEach((size, axis) => {
      if (size === 1) return;
      const last = sizes.length - 1;
      const source = fromStrides[axis];
      const target = toStrides[axis];
      if (last >= 0 && sources[last] === source * size && targets[last] === target * size) {
        sizes[last] *= size;
        sources[last] = source;
        targets[last] = target;
      } else {
        sizes.push(size);
        sources.push(source);
        targets.push(target);
      }
    });
    if (sizes.length === 1 && sources[0] === 1 && targets[0] === 1 && total > CHUNK_ELEMENTS) {
      // One long run: cut it, so that threads can share it.
      const whole = Math.floor(total / CHUNK_ELEMENTS) * CHUNK_ELEMENTS;
      this.#copyStrided(from + whole * 4, [1], to + whole * 4, [1], [total - whole]);
      sizes.splice(0, 1, whole / CHUNK_ELEMENTS, CHUNK_ELEMENTS);
      sources.splice(0, 1, CHUNK_ELEMENTS, 1);
      targets.splice(0, 1, CHUNK_ELEMENTS, 1);
    }
    const missing = 6 - sizes.length;
    const lead = (values: readonly number[], value: number): number[] => [
      ...Array.from({ length: missing }, () => value),
      ...values,
    ];
    const length = sizes.at(-1) ?? 1;
    const count = sizeOf(sizes);
    const rows = count / length;
    const rowsPerChunk = Math.max(1, Math.floor(CHUNK_ELEMENTS / length));
    this.#run(ids.KERNEL_STRIDED_COPY, Math.ceil(rows / rowsPerChunk), count, [
      from,
      to,
      rowsPerChunk,
      ...lead(sizes, 1),
      ...lead(sources, 0),
      ...lead(targets, 0),
    ]);
  }

  #withBroadcast(source: WasmTensor, shape: Shape, body: (address: number) => void): void {
    if (source.size === sizeOf(shape)) {
      body(source.address);
      return;
    }
    const missing = shape.length - source.shape.length;
    const own = stridesOf(source.shape);
    const strides = shape.map((_, axis) =>
      axis < missing || source.shape[axis - missing] === 1 ? 0 : own[axis - missing],
    );
    this.#runner.withTemporary(sizeOf(shape) * 4, (address) => {
      this.#copyStrided(source.address, strides, address, stridesOf(shape), shape);
      body(address);
    });
  }

  #runBinary(operation: number, form: number, left: number, right: number, result: WasmTensor, period: number): void {
    const chunkSize = period * Math.max(1, Math.floor(CHUNK_ELEMENTS / period));
    this.#run(ids.KERNEL_BINARY, Math.ceil(result.size / chunkSize), result.size, [
      operation,
      form,
      left,
      right,
      result.address,
      result.size,
      chunkSize,
      period,
    ]);
  }

  /** Handles `vector` along the last axes or along the first ones of `full`; returns whether it was either. */
  #runBinaryVector(
    operation: number,
    full: WasmTensor,
    vector: WasmTensor,
    result: WasmTensor,
    isRight: boolean,
  ): boolean {
    const { shape } = result;
    const core = withoutLeadingOnes(vector.shape);
    const ordered = (address: number): [number, number] =>
      isRight ? [full.address, address] : [address, full.address];
    if (haveEqualShapes(core, shape.slice(shape.length - core.length))) {
      const period = vector.size;
      const repeats = repeatsToVectors(period);
      const form = isRight ? ids.FORM_RIGHT_ROW : ids.FORM_LEFT_ROW;
      if (repeats === 1) {
        this.#runBinary(operation, form, ...ordered(vector.address), result, period);
      } else {
        this.#runner.withTemporary(period * repeats * 4, (address) => {
          this.#copyStrided(vector.address, [0, 1], address, [period, 1], [repeats, period]);
          this.#runBinary(operation, form, ...ordered(address), result, period * repeats);
        });
      }
      return true;
    }
    if (vector.shape.length !== shape.length) return false;
    let trailing = shape.length;
    while (trailing > 0 && vector.shape[trailing - 1] === 1) trailing -= 1;
    if (!haveEqualShapes(vector.shape.slice(0, trailing), shape.slice(0, trailing))) return false;
    const form = isRight ? ids.FORM_RIGHT_COLUMN : ids.FORM_LEFT_COLUMN;
    this.#runBinary(operation, form, ...ordered(vector.address), result, sizeOf(shape.slice(trailing)));
    return true;
  }

  /** Reduces the middle axis of `[outer, rows, inner]`. */
  #reduceMiddle(
    operation: number,
    from: number,
    to: number,
    outer: number,
    rows: number,
    inner: number,
    factor: number,
  ): void {
    const launch = (
      source: number,
      target: number,
      height: number,
      width: number,
      splits: number,
      rowsPerSplit: number,
      scale: number,
    ): void => {
      const items = outer * splits;
      const itemsPerChunk = Math.max(1, Math.floor(CHUNK_ELEMENTS / (rowsPerSplit * width)));
      this.#run(ids.KERNEL_REDUCE, Math.ceil(items / itemsPerChunk), outer * height * width, [
        operation,
        source,
        target,
        outer,
        height,
        width,
        splits,
        rowsPerSplit,
        itemsPerChunk,
        asFloat(scale),
      ]);
    };
    // Rows too short for vectors are read four (or two) at a time where they are many.
    const repeats = inner > 1 && outer === 1 ? repeatsToVectors(inner) : 1;
    const fold = rows >= 64 && rows % repeats === 0 ? repeats : 1;
    const height = rows / fold;
    const width = inner * fold;
    const rowsPerSplit = Math.max(8, Math.min(inner === 1 ? CHUNK_ELEMENTS : 1024, Math.floor(CHUNK_ELEMENTS / width)));
    if (height <= rowsPerSplit && fold === 1) {
      launch(from, to, rows, inner, 1, rows, factor);
      return;
    }
    const splits = Math.ceil(height / rowsPerSplit);
    this.#runner.withTemporary(outer * splits * width * 4, (partials) => {
      launch(from, partials, height, width, splits, rowsPerSplit, 1);
      launch(partials, to, splits * fold, inner, 1, splits * fold, factor);
    });
  }

  /** result [rows, columns] = left [rows, depth] x right + bias. */
  #multiply(
    left: number,
    right: number,
    bias: number,
    result: number,
    rows: number,
    depth: number,
    columns: number,
    isTransposed: boolean,
  ): void {
    if (rows === 0 || columns === 0) return;
    convolve(
      this.#runner,
      {
        address: left,
        image: { batch: 1, height: rows, width: 1, channels: depth },
        firstChannel: 0,
        channels: depth,
      },
      {
        strides: [1, 1],
        taps: [1, 1],
        dilations: [1, 1],
        top: 0,
        left: 0,
        outputHeight: rows,
        outputWidth: 1,
      },
      {
        address: right,
        bias,
        sizes: [1, 1, depth],
        strides: [0, 0, isTransposed ? 1 : columns],
        columns,
        columnStride: isTransposed ? depth : 1,
      },
      { address: result, image: 0, row: columns, column: 0 },
    );
  }

  /** result [rows, columns] = transpose of left [depth, rows] x right [depth, columns]. */
  #multiplyTransposed(left: number, right: number, result: number, rows: number, depth: number, columns: number): void {
    if (rows === 0 || columns === 0) return;
    if (depth === 0) {
      this.#fill(result, rows * columns, 0);
      return;
    }
    const width = Math.min(depth, MATRIX_ROW_PIXELS);
    accumulateFilterGradient(
      this.#runner,
      {
        address: left,
        image: { batch: Math.ceil(depth / width), height: 1, width, channels: rows },
        firstChannel: 0,
        channels: rows,
      },
      {
        strides: [1, 1],
        taps: [1, 1],
        dilations: [1, 1],
        top: 0,
        left: 0,
        outputHeight: 1,
        outputWidth: width,
      },
      { address: right, channels: columns, firstChannel: 0, columns },
      result,
      depth,
    );
  }

  #runDepthwise(
    kernel: number,
    addresses: readonly number[],
    inputShape: Shape,
    filterShape: Shape,
    geometry: TapGeometry,
    bias: number,
    imagesPerChunk: number = 1,
  ): void {
    const [batch, height, width, channels] = inputShape as readonly [number, number, number, number];
    const pixels = batch * geometry.outputHeight * geometry.outputWidth;
    this.#run(kernel, Math.ceil(batch / imagesPerChunk), pixels * channels * filterShape[0] * filterShape[1], [
      ...addresses,
      batch,
      height,
      width,
      channels,
      geometry.outputHeight,
      geometry.outputWidth,
      ...geometry.strides,
      ...geometry.taps,
      ...geometry.dilations,
      geometry.top,
      geometry.left,
      imagesPerChunk,
      bias,
    ]);
  }

  #depthwiseFilterGradient(x: WasmTensor, g: WasmTensor, result: WasmTensor, geometry: TapGeometry): void {
    const imagesPerChunk = Math.ceil(x.shape[0] / 32);
    const chunks = Math.ceil(x.shape[0] / imagesPerChunk);
    this.#runner.withTemporary(chunks * result.size * 4, (partials) => {
      const addresses = [x.address, g.address, partials];
      const kernel = ids.KERNEL_DEPTHWISE_FILTER_GRADIENT;
      this.#runDepthwise(kernel, addresses, x.shape, result.shape, geometry, 0, imagesPerChunk);
      this.#reduceMiddle(ids.REDUCE_SUM, partials, result.address, 1, chunks, result.size, 1);
    });
  }

  #runPool(
    kernel: number,
    inputShape: Shape,
    outputShape: Shape,
    options: Pool2dOptions,
    input: number,
    output: number,
    countsPadding: number,
    gradients: readonly [from: number, to: number],
  ): void {
    const [batch, height, width, channels] = inputShape as readonly [number, number, number, number];
    const imageSize = height * width * channels;
    if (batch * imageSize === 0) return;
    const imagesPerChunk = Math.max(1, Math.floor(8192 / imageSize));
    this.#run(kernel, Math.ceil(batch / imagesPerChunk), batch * imageSize * 2, [
      input,
      output,
      batch,
      height,
      width,
      channels,
      outputShape[1],
      outputShape[2],
      ...options.windowSize,
      ...options.strides,
      options.padding.top,
      options.padding.left,
      imagesPerChunk,
      countsPadding,
      ...gradients,
    ]);
  }

  #runUpsample(kernel: number, from: number, to: number, smallShape: Shape, factors: Size2d): void {
    const [batch, height, width, channels] = smallShape as readonly [number, number, number, number];
    const rowSize = width * channels * factors[0] * factors[1];
    const rowsPerChunk = Math.max(1, Math.floor(CHUNK_ELEMENTS / Math.max(1, rowSize)));
    this.#run(kernel, Math.ceil((batch * height) / rowsPerChunk), batch * height * rowSize, [
      from,
      to,
      batch * height,
      width,
      channels,
      ...factors,
      rowsPerChunk,
    ]);
  }
}

/** How the batch normalisation of a shape is cut into chunks; see `assembly/batch-norm.ts`. */
interface BatchNormPlan {
  readonly channels: number;
  readonly fold: number;
  readonly columns: number;
  readonly rows: number;
  readonly rowsPerChunk: number;
  readonly chunks: number;
  period: number;
  chunkSize: number;
}

function batchNormPlan(shape: Shape): BatchNormPlan {
  const channels = shape.at(-1)!;
  const positions = sizeOf(shape.slice(0, -1));
  const repeats = repeatsToVectors(channels);
  const fold = positions % repeats === 0 ? repeats : 1;
  const columns = channels * fold;
  const rows = positions / fold;
  const rowsPerChunk = Math.max(16, Math.floor((2 * CHUNK_ELEMENTS) / Math.max(1, columns)));
  const period = channels * repeats;
  return {
    channels,
    fold,
    columns,
    rows,
    rowsPerChunk,
    chunks: Math.ceil(rows / rowsPerChunk),
    period,
    chunkSize: period * Math.max(1, Math.floor(CHUNK_ELEMENTS / Math.max(1, period))),
  };
}

function upsampleGeometry(inputShape: Shape, outputs: number): UpsampleGeometry {
  const [batch, height, width, inputs] = inputShape as readonly [number, number, number, number];
  return { batch, height, width, inputs, outputs };
}

function outputLength(size: number, before: number, after: number, kernel: number, stride: number): number {
  return Math.max(0, Math.floor((size + before + after - kernel) / stride) + 1);
}

function tapGeometry(inputShape: Shape, filterShape: Shape, options: Conv2dOptions): TapGeometry {
  const { strides, dilations, padding } = options;
  const spanDown = dilations[0] * (filterShape[0] - 1) + 1;
  const spanAcross = dilations[1] * (filterShape[1] - 1) + 1;
  return {
    strides,
    taps: [filterShape[0], filterShape[1]],
    dilations,
    top: padding.top,
    left: padding.left,
    outputHeight: outputLength(inputShape[1], padding.top, padding.bottom, spanDown, strides[0]),
    outputWidth: outputLength(inputShape[2], padding.left, padding.right, spanAcross, strides[1]),
  };
}

function isDepthwise(inputShape: Shape, filterShape: Shape, options: Conv2dOptions): boolean {
  return options.groups > 1 && options.groups === inputShape[3] && options.groups === filterShape[3];
}

/** A convolution that is one matrix product: 1 x 1 filters, or filters as large as the image. */
function matrixForm(
  inputShape: Shape,
  filterShape: Shape,
  geometry: TapGeometry,
  options: Conv2dOptions,
): { rows: number; depth: number } | null {
  const { padding } = options;
  if (options.groups !== 1 || padding.top + padding.bottom + padding.left + padding.right > 0) return null;
  const [batch, height, width, channels] = inputShape as readonly [number, number, number, number];
  if (filterShape[0] === 1 && filterShape[1] === 1 && geometry.strides[0] === 1 && geometry.strides[1] === 1) {
    return { rows: batch * height * width, depth: channels };
  }
  if (filterShape[0] === height && filterShape[1] === width && geometry.dilations[0] * geometry.dilations[1] === 1) {
    return { rows: batch, depth: height * width * channels };
  }
  return null;
}

function pooledShape(inputShape: Shape, options: Pool2dOptions): number[] {
  const { windowSize, strides, padding } = options;
  return [
    inputShape[0],
    outputLength(inputShape[1], padding.top, padding.bottom, windowSize[0], strides[0]),
    outputLength(inputShape[2], padding.left, padding.right, windowSize[1], strides[1]),
    inputShape[3],
  ];
}
