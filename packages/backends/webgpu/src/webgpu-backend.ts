import {
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
  broadcastShapes,
  broadcastStrides,
  formatShape,
  joinedShape,
  paddedShape,
  pooledShape,
  productShape,
  reducedShape,
  sizeOf,
  type Storage,
  StoredTensor,
  stridesOf,
  TensorStore,
} from '@dafl/core/backend-base';
import { runAdam } from './adam.ts';
import { runBatchNorm, runBatchNormGradient, runFrozenBatchNorm, runMoveStatistics } from './batch-norm.ts';
import type { PooledBuffer } from './buffer-pool.ts';
import type { CommandQueue } from './command-queue.ts';
import {
  convolutionSizes,
  runConvolution,
  runConvolutionFilterGradient,
  runConvolutionInputGradient,
} from './convolution.ts';
import { runDepthwise, runDepthwiseFilterGradient, runDepthwiseInputGradient } from './depthwise-convolution.ts';
import {
  runAffine,
  runBinary,
  runClip,
  runClipGradient,
  runGelu,
  runGeluGradient,
  runLeakyRelu,
  runLeakyReluGradient,
  runUnary,
} from './element-wise.ts';
import { runFill, runStridedCopy } from './layout.ts';
import { runMatMul } from './matrix.ts';
import { runAveragePool, runAveragePoolGradient, runMaxPool, runMaxPoolGradient } from './pooling.ts';
import { runArgMax, runOneHot, runReduction, type WithTemporary } from './reduction.ts';
import { runSoftmaxDivergence } from './softmax-divergence.ts';
import {
  runUpsampleConvolution,
  runUpsampleConvolutionFilterGradient,
  runUpsampleConvolutionInputGradient,
} from './upsample-convolution.ts';
import { runUpsample, runUpsampleGradient } from './upsampling.ts';

/** What tensors share: a buffer, lent by the pool. */
interface GpuStorage extends Storage {
  readonly buffer: PooledBuffer;
}

class WebgpuTensor extends StoredTensor<GpuStorage> {
  get buffer(): PooledBuffer {
    return this.storage.buffer;
  }
}

/** What a backend works with. */
export interface WebgpuBackendParts {
  readonly queue: CommandQueue;
  readonly description: string;
}

/** The backend behind `createWebgpuBackend`. */
export class WebgpuBackend implements TensorBackend {
  readonly name: string = 'webgpu';
  readonly description: string;
  readonly fused: Partial<FusedKernels> = {
    upsampleConv2d: (input, filter, bias) => this.#upsampleConv2d(input, filter, bias),
    upsampleConv2dInputGradient: (outputGradient, filter) => this.#upsampleConv2dInputGradient(outputGradient, filter),
    upsampleConv2dFilterGradient: (input, outputGradient) => this.#upsampleConv2dFilterGradient(input, outputGradient),
    softmaxDivergence: (logits, target) => this.#softmaxDivergence(logits, target),
    batchNorm: (input, scale, offset, epsilon, running) => this.#batchNorm(input, scale, offset, epsilon, running),
    frozenBatchNorm: (input, mean, variance, scale, offset, epsilon) =>
      this.#frozenBatchNorm(input, mean, variance, scale, offset, epsilon),
    channelStatistics: (input) => this.#channelStatistics(input),
    clip: (input, low, high) => {
      const source = this.#own(input, 'compute clip', 'input');
      const result = this.#make(source.shape, 'float32');
      runClip(this.#queue, source.buffer, result.buffer, source.size, [low, high]);
      return result;
    },
    clipGradient: (outputGradient, input, low, high) => {
      const [gradient, source] = [outputGradient, input].map((tensor) =>
        this.#own(tensor, 'compute clipGradient', 'input'),
      );
      const result = this.#make(source.shape, 'float32');
      runClipGradient(this.#queue, gradient.buffer, source.buffer, result.buffer, source.size, [low, high]);
      return result;
    },
    gelu: (input) => {
      const source = this.#own(input, 'compute gelu', 'input');
      const result = this.#make(source.shape, 'float32');
      runGelu(this.#queue, source.buffer, result.buffer, source.size);
      return result;
    },
    geluGradient: (outputGradient, input) => {
      const [gradient, source] = [outputGradient, input].map((tensor) =>
        this.#own(tensor, 'compute geluGradient', 'input'),
      );
      const result = this.#make(source.shape, 'float32');
      runGeluGradient(this.#queue, gradient.buffer, source.buffer, result.buffer, source.size);
      return result;
    },
    batchNormGradient: (outputGradient, input, scale, mean, variance, epsilon) =>
      this.#batchNormGradient(outputGradient, input, scale, mean, variance, epsilon),
    adamStep: (parameter, gradient, firstMoment, secondMoment, options) =>
      this.#adamStep(parameter, gradient, firstMoment, secondMoment, options),
  };
  readonly #queue: CommandQueue;
  readonly #store: TensorStore<GpuStorage, WebgpuTensor>;

  constructor({ queue, description }: WebgpuBackendParts) {
    this.description = description;
    this.#queue = queue;
    this.#store = new TensorStore<GpuStorage, WebgpuTensor>({
      name: this.name,
      tensorClass: WebgpuTensor,
      free: ({ buffer }) => queue.pool.give(buffer),
    });
  }

  /** How many buffers the tensors and temporaries of this backend have needed so far. */
  get createdBuffers(): number {
    return this.#queue.pool.created;
  }

  // --- tensors ---

  tensor(data: TensorData, shape: Shape): Tensor {
    const isInteger = data instanceof Int32Array;
    this.#store.mustFit(data, shape);
    const result = this.#make(shape, isInteger ? 'int32' : 'float32');
    const elements = data instanceof Float64Array ? new Float32Array(data) : data;
    this.#queue.upload(result.buffer, elements as Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>);
    return result;
  }

  fill(shape: Shape, value: number): Tensor {
    const result = this.#make(shape, 'float32');
    runFill(this.#queue, result.buffer, result.size, value);
    return result;
  }

  async read(tensor: Tensor): Promise<TensorData> {
    const { buffer, dataType, size } = this.#own(tensor, 'read', 'tensor');
    const data = await this.#queue.download(buffer, size * 4);
    return dataType === 'int32' ? new Int32Array(data) : new Float32Array(data);
  }

  dispose(tensor: Tensor): void {
    this.#store.dispose(tensor);
  }

  memory(): MemoryInfo {
    return this.#store.memory();
  }

  async close(): Promise<void> {
    if (this.#store.close()) this.#queue.close();
  }

  // --- shape and movement ---

  reshape(input: Tensor, shape: Shape): Tensor {
    return this.#store.reshape(input, shape);
  }

  transpose(input: Tensor, permutation: readonly number[]): Tensor {
    const source = this.#own(input, 'transpose', 'input');
    const strides = stridesOf(source.shape);
    const shape = permutation.map((axis) => source.shape[axis]);
    const result = this.#make(shape, source.dataType);
    const from = permutation.map((axis) => strides[axis]);
    runStridedCopy(
      this.#queue,
      shape,
      { buffer: source.buffer, start: 0, strides: from },
      { buffer: result.buffer, start: 0, strides: stridesOf(shape) },
    );
    return result;
  }

  broadcast(input: Tensor, shape: Shape): Tensor {
    const source = this.#own(input, 'broadcast', 'input');
    const from = broadcastStrides(source.shape, shape);
    const result = this.#make(shape, 'float32');
    runStridedCopy(
      this.#queue,
      shape,
      { buffer: source.buffer, start: 0, strides: from },
      { buffer: result.buffer, start: 0, strides: stridesOf(shape) },
    );
    return result;
  }

  pad(input: Tensor, paddings: readonly (readonly [before: number, after: number])[], value: number): Tensor {
    const source = this.#own(input, 'pad', 'input');
    const shape = paddedShape(source.shape, paddings);
    const result = this.#make(shape, source.dataType);
    runFill(this.#queue, result.buffer, result.size, value, source.dataType);
    const strides = stridesOf(shape);
    const start = strides.reduce((sum, stride, axis) => sum + stride * paddings[axis][0], 0);
    runStridedCopy(
      this.#queue,
      source.shape,
      { buffer: source.buffer, start: 0, strides: stridesOf(source.shape) },
      { buffer: result.buffer, start, strides },
    );
    return result;
  }

  slice(input: Tensor, begin: readonly number[], size: readonly number[]): Tensor {
    const source = this.#own(input, 'slice', 'input');
    const result = this.#make(size, source.dataType);
    const strides = stridesOf(source.shape);
    const start = strides.reduce((sum, stride, axis) => sum + stride * begin[axis], 0);
    runStridedCopy(
      this.#queue,
      size,
      { buffer: source.buffer, start, strides },
      { buffer: result.buffer, start: 0, strides: stridesOf(size) },
    );
    return result;
  }

  concat(inputs: readonly Tensor[], axis: number): Tensor {
    const sources = inputs.map((input) => this.#own(input, 'concatenate', 'inputs'));
    const shape = joinedShape(
      sources.map((source) => source.shape),
      axis,
    );
    const result = this.#make(shape, sources[0].dataType);
    const strides = stridesOf(shape);
    let start = 0;
    for (const source of sources) {
      runStridedCopy(
        this.#queue,
        source.shape,
        { buffer: source.buffer, start: 0, strides: stridesOf(source.shape) },
        { buffer: result.buffer, start: start * strides[axis], strides },
      );
      start += source.shape[axis];
    }
    return result;
  }

  // --- element-wise ---

  unary(operation: UnaryOperation, input: Tensor): Tensor {
    const source = this.#own(input, operation, 'input');
    const result = this.#make(source.shape, 'float32');
    runUnary(this.#queue, operation, source.buffer, result.buffer, source.size);
    return result;
  }

  binary(operation: BinaryOperation, left: Tensor, right: Tensor): Tensor {
    const a = this.#own(left, operation, 'left');
    const b = this.#own(right, operation, 'right');
    const shape = broadcastShapes(a.shape, b.shape);
    const result = this.#make(shape, 'float32');
    runBinary(this.#queue, operation, a, b, result.buffer, shape);
    return result;
  }

  affine(input: Tensor, factor: number, summand: number): Tensor {
    const source = this.#own(input, 'compute affine', 'input');
    const result = this.#make(source.shape, 'float32');
    runAffine(this.#queue, source.buffer, result.buffer, source.size, factor, summand);
    return result;
  }

  leakyRelu(input: Tensor, slope: number): Tensor {
    const source = this.#own(input, 'compute leakyRelu', 'input');
    const result = this.#make(source.shape, 'float32');
    runLeakyRelu(this.#queue, source.buffer, result.buffer, source.size, slope);
    return result;
  }

  leakyReluGradient(outputGradient: Tensor, output: Tensor, slope: number): Tensor {
    const gradient = this.#own(outputGradient, 'compute leakyReluGradient', 'outputGradient');
    const activation = this.#own(output, 'compute leakyReluGradient', 'output');
    const result = this.#make(gradient.shape, 'float32');
    runLeakyReluGradient(this.#queue, gradient.buffer, activation.buffer, result.buffer, gradient.size, slope);
    return result;
  }

  // --- reductions ---

  reduce(operation: ReduceOperation, input: Tensor, axes: readonly number[], keepDimensions: boolean): Tensor {
    return this.#store.atomically(() => {
      const source = this.#own(input, `reduce (${operation})`, 'input');
      const shape = reducedShape(source.shape, axes, keepDimensions);
      const result = this.#make(shape, 'float32');
      if (result.size === 0) return result;
      if (source.size === 0) {
        const value = { sum: 0, mean: NaN, max: -Infinity }[operation];
        runFill(this.#queue, result.buffer, result.size, value);
        return result;
      }
      const rows = source.size / result.size;
      const id = operation === 'max' ? 'max' : 'sum';
      const factor = operation === 'mean' ? 1 / rows : 1;

      // Axes of size 1 change nothing; the others must lie side by side to be reduced as one.
      const kept = source.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
      const reduced = axes.filter((axis) => source.shape[axis] > 1);
      const first = reduced[0] ?? 0;
      const last = reduced.at(-1) ?? 0;
      const isBlock = kept.every((axis) => axis < first || axis > last || source.shape[axis] === 1);
      if (isBlock) {
        const outer = sizeOf(source.shape.slice(0, first));
        const sizes = { outer, rows, inner: result.size / outer };
        runReduction(this.#queue, id, source.buffer, result.buffer, sizes, factor, this.#withTemporary);
      } else {
        const moved = this.transpose(source, [...kept, ...axes]) as WebgpuTensor;
        const sizes = { outer: result.size, rows, inner: 1 };
        runReduction(this.#queue, id, moved.buffer, result.buffer, sizes, factor, this.#withTemporary);
        this.dispose(moved);
      }
      return result;
    });
  }

  argMax(input: Tensor): Tensor {
    const source = this.#own(input, 'compute argMax', 'input');
    const result = this.#make(source.shape.slice(0, -1), 'int32');
    runArgMax(this.#queue, source.buffer, result.buffer, result.size, source.shape.at(-1)!);
    return result;
  }

  oneHot(indices: Tensor, depth: number): Tensor {
    const source = this.#own(indices, 'compute oneHot', 'indices');
    const result = this.#make([...source.shape, depth], 'float32');
    runOneHot(this.#queue, source.buffer, result.buffer, source.size, depth);
    return result;
  }

  // --- matrices ---

  matMul(left: Tensor, right: Tensor, transposeLeft: boolean, transposeRight: boolean): Tensor {
    return this.#store.atomically(() => {
      const a = this.#own(left, 'compute matMul', 'left');
      const b = this.#own(right, 'compute matMul', 'right');
      const shape = productShape(a.shape, b.shape, transposeLeft, transposeRight);
      const [rows, columns] = shape;
      const depth = a.shape[transposeLeft ? 0 : 1];
      const result = this.#make(shape, 'float32');
      runMatMul(
        this.#queue,
        { buffer: a.buffer, isTransposed: transposeLeft },
        { buffer: b.buffer, isTransposed: transposeRight },
        { buffer: result.buffer, bias: null },
        { rows, depth, columns },
        this.#withTemporary,
      );
      return result;
    });
  }

  // --- convolution ---

  conv2d(input: Tensor, filter: Tensor, bias: Tensor | null, options: Conv2dOptions): Tensor {
    return this.#store.atomically(() => {
      const x = this.#own(input, 'compute conv2d', 'input');
      const w = this.#own(filter, 'compute conv2d', 'filter');
      const b = bias === null ? null : this.#own(bias, 'compute conv2d', 'bias').buffer;
      const sizes = convolutionSizes(x.shape, w.shape, options);
      const shape = [sizes.batch, sizes.outputHeight, sizes.outputWidth, sizes.allOutputs];
      const result = this.#make(shape, 'float32');
      if (result.size === 0) return result;
      if (isDepthwise(x.shape, options)) {
        runDepthwise(this.#queue, x.buffer, w.buffer, b, result.buffer, sizes, options);
      } else {
        runConvolution(this.#queue, x.buffer, w.buffer, b, result.buffer, sizes, options, this.#withTemporary);
      }
      return result;
    });
  }

  conv2dInputGradient(outputGradient: Tensor, filter: Tensor, inputShape: Shape, options: Conv2dOptions): Tensor {
    return this.#store.atomically(() => {
      const g = this.#own(outputGradient, 'compute conv2dInputGradient', 'outputGradient');
      const w = this.#own(filter, 'compute conv2dInputGradient', 'filter');
      const sizes = convolutionSizes(inputShape, w.shape, options);
      const result = this.#make(inputShape, 'float32');
      if (result.size === 0) return result;
      if (g.size === 0) {
        runFill(this.#queue, result.buffer, result.size, 0);
      } else if (isDepthwise(inputShape, options)) {
        runDepthwiseInputGradient(this.#queue, g.buffer, w.buffer, result.buffer, sizes, options);
      } else {
        runConvolutionInputGradient(
          this.#queue,
          g.buffer,
          w.buffer,
          null,
          result.buffer,
          sizes,
          options,
          this.#withTemporary,
        );
      }
      return result;
    });
  }

  conv2dFilterGradient(input: Tensor, outputGradient: Tensor, filterShape: Shape, options: Conv2dOptions): Tensor {
    return this.#store.atomically(() => {
      const x = this.#own(input, 'compute conv2dFilterGradient', 'input');
      const g = this.#own(outputGradient, 'compute conv2dFilterGradient', 'outputGradient');
      const sizes = convolutionSizes(x.shape, filterShape, options);
      const result = this.#make(filterShape, 'float32');
      if (result.size === 0) return result;
      const run = isDepthwise(x.shape, options) ? runDepthwiseFilterGradient : runConvolutionFilterGradient;
      if (g.size === 0) runFill(this.#queue, result.buffer, result.size, 0);
      else run(this.#queue, x.buffer, g.buffer, result.buffer, sizes, options, this.#withTemporary);
      return result;
    });
  }

  // --- pooling and resampling ---

  maxPool2d(input: Tensor, options: Pool2dOptions): Tensor {
    const x = this.#own(input, 'compute maxPool2d', 'input');
    const result = this.#make(pooledShape(x.shape, options), 'float32');
    runMaxPool(this.#queue, x.buffer, result.buffer, x.shape, result.shape, options, false);
    return result;
  }

  maxPool2dGradient(outputGradient: Tensor, input: Tensor, output: Tensor, options: Pool2dOptions): Tensor {
    return this.#store.atomically(() => {
      const g = this.#own(outputGradient, 'compute maxPool2dGradient', 'outputGradient');
      const x = this.#own(input, 'compute maxPool2dGradient', 'input');
      const y = this.#own(output, 'compute maxPool2dGradient', 'output');
      const result = this.#make(x.shape, 'float32');
      this.#withTemporary(y.size, (places) => {
        runMaxPool(this.#queue, x.buffer, places, x.shape, y.shape, options, true);
        runMaxPoolGradient(this.#queue, g.buffer, places, result.buffer, x.shape, y.shape, options);
      });
      return result;
    });
  }

  averagePool2d(input: Tensor, options: AveragePool2dOptions): Tensor {
    const x = this.#own(input, 'compute averagePool2d', 'input');
    const result = this.#make(pooledShape(x.shape, options), 'float32');
    runAveragePool(this.#queue, x.buffer, result.buffer, x.shape, result.shape, options);
    return result;
  }

  averagePool2dGradient(outputGradient: Tensor, inputShape: Shape, options: AveragePool2dOptions): Tensor {
    const g = this.#own(outputGradient, 'compute averagePool2dGradient', 'outputGradient');
    const result = this.#make(inputShape, 'float32');
    runAveragePoolGradient(this.#queue, g.buffer, result.buffer, inputShape, g.shape, options);
    return result;
  }

  upsampleNearest2d(input: Tensor, factors: Size2d): Tensor {
    const x = this.#own(input, 'compute upsampleNearest2d', 'input');
    const [batch, height, width, channels] = x.shape;
    const result = this.#make([batch, height * factors[0], width * factors[1], channels], 'float32');
    runUpsample(this.#queue, x.buffer, result.buffer, x.shape, factors);
    return result;
  }

  upsampleNearest2dGradient(outputGradient: Tensor, factors: Size2d): Tensor {
    const g = this.#own(outputGradient, 'compute upsampleNearest2dGradient', 'outputGradient');
    const [batch, height, width, channels] = g.shape;
    const result = this.#make([batch, height / factors[0], width / factors[1], channels], 'float32');
    runUpsampleGradient(this.#queue, g.buffer, result.buffer, result.shape, factors);
    return result;
  }

  // --- fused ---

  #upsampleConv2d(input: Tensor, filter: Tensor, bias: Tensor | null): Tensor {
    return this.#store.atomically(() => {
      const action = 'compute upsampleConv2d';
      const x = this.#own(input, action, 'input');
      const w = this.#own(filter, action, 'filter');
      const b = bias === null ? null : this.#own(bias, action, 'bias').buffer;
      const [batch, height, width] = x.shape;
      const result = this.#make([batch, height * 2, width * 2, w.shape[3]], 'float32');
      if (result.size === 0) return result;
      const shapes = { small: x.shape, large: result.shape };
      runUpsampleConvolution(this.#queue, x.buffer, w.buffer, b, result.buffer, shapes, this.#withTemporary);
      return result;
    });
  }

  #upsampleConv2dInputGradient(outputGradient: Tensor, filter: Tensor): Tensor {
    return this.#store.atomically(() => {
      const g = this.#own(outputGradient, 'compute upsampleConv2dInputGradient', 'outputGradient');
      const w = this.#own(filter, 'compute upsampleConv2dInputGradient', 'filter');
      const [batch, height, width] = g.shape;
      const result = this.#make([batch, height / 2, width / 2, w.shape[2]], 'float32');
      if (result.size === 0) return result;
      const shapes = { small: result.shape, large: g.shape };
      runUpsampleConvolutionInputGradient(this.#queue, g.buffer, w.buffer, result.buffer, shapes, this.#withTemporary);
      return result;
    });
  }

  #upsampleConv2dFilterGradient(input: Tensor, outputGradient: Tensor): Tensor {
    return this.#store.atomically(() => {
      const x = this.#own(input, 'compute upsampleConv2dFilterGradient', 'input');
      const g = this.#own(outputGradient, 'compute upsampleConv2dFilterGradient', 'outputGradient');
      const result = this.#make([3, 3, x.shape[3], g.shape[3]], 'float32');
      if (result.size === 0) return result;
      const shapes = { small: x.shape, large: g.shape };
      if (x.size === 0) runFill(this.#queue, result.buffer, result.size, 0);
      else {
        runUpsampleConvolutionFilterGradient(
          this.#queue,
          x.buffer,
          g.buffer,
          result.buffer,
          shapes,
          this.#withTemporary,
        );
      }
      return result;
    });
  }

  #softmaxDivergence(logits: Tensor, target: Tensor): SoftmaxDivergenceResult {
    return this.#store.atomically(() => {
      const x = this.#own(logits, 'compute softmaxDivergence', 'logits');
      const t = this.#own(target, 'compute softmaxDivergence', 'target');
      const [rows, classes] = x.shape;
      const divergence = this.#make([rows], 'float32');
      const logitsGradient = this.#make(x.shape, 'float32');
      const results = [divergence.buffer, logitsGradient.buffer] as const;
      if (classes === 0) runFill(this.#queue, divergence.buffer, rows, 0);
      else runSoftmaxDivergence(this.#queue, x.buffer, t.buffer, ...results, rows, classes);
      return { divergence, logitsGradient };
    });
  }

  #channelStatistics(input: Tensor): ChannelStatistics {
    return this.#store.atomically(() => {
      const x = this.#own(input, 'compute channelStatistics', 'input');
      const channels = x.shape.at(-1)!;
      const [mean, variance] = [this.#make([channels], 'float32'), this.#make([channels], 'float32')];
      if (x.size === 0) {
        for (const { buffer } of [mean, variance]) runFill(this.#queue, buffer, channels, NaN);
        return { mean, variance };
      }
      const buffers = {
        input: x.buffer,
        scale: null,
        offset: null,
        output: null,
        mean: mean.buffer,
        variance: variance.buffer,
      };
      runBatchNorm(this.#queue, buffers, x.size / channels, channels, 0, this.#withTemporary);
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
    return this.#store.atomically(() => {
      const action = 'compute frozenBatchNorm';
      const bufferOf = (tensor: Tensor | null, name: string): PooledBuffer | null =>
        tensor === null ? null : this.#own(tensor, action, name).buffer;
      const x = this.#own(input, action, 'input');
      const output = this.#make(x.shape, 'float32');
      const buffers = {
        input: x.buffer,
        mean: bufferOf(mean, 'mean'),
        variance: this.#own(variance, action, 'variance').buffer,
        scale: bufferOf(scale, 'scale'),
        offset: bufferOf(offset, 'offset'),
        output: output.buffer,
      };
      runFrozenBatchNorm(this.#queue, buffers, x.size, x.shape.at(-1)!, epsilon);
      return output;
    });
  }

  #batchNorm(
    input: Tensor,
    scale: Tensor | null,
    offset: Tensor | null,
    epsilon: number,
    running: RunningStatistics | null,
  ): BatchNormResult {
    return this.#store.atomically(() => {
      const action = 'compute batchNorm';
      const x = this.#own(input, action, 'input');
      const scaleBuffer = scale === null ? null : this.#own(scale, action, 'scale').buffer;
      const offsetBuffer = offset === null ? null : this.#own(offset, action, 'offset').buffer;
      const channels = x.shape.at(-1)!;
      const output = this.#make(x.shape, 'float32');
      const statistics = (): WebgpuTensor => this.#make([channels], 'float32');
      const [mean, variance] = [statistics(), statistics()];
      const moved = running && { mean: statistics(), variance: statistics() };
      if (x.size === 0) {
        const all = [mean, variance, ...Object.values(moved ?? {})];
        for (const { buffer } of all) runFill(this.#queue, buffer, channels, NaN);
        return { output, mean, variance, running: moved };
      }
      const buffers = {
        input: x.buffer,
        scale: scaleBuffer,
        offset: offsetBuffer,
        output: output.buffer,
        mean: mean.buffer,
        variance: variance.buffer,
      };
      runBatchNorm(this.#queue, buffers, x.size / channels, channels, epsilon, this.#withTemporary);
      if (running !== null) {
        const moving = {
          mean: mean.buffer,
          variance: variance.buffer,
          runningMean: this.#own(running.mean, action, 'running.mean').buffer,
          runningVariance: this.#own(running.variance, action, 'running.variance').buffer,
          newMean: moved!.mean.buffer,
          newVariance: moved!.variance.buffer,
        };
        runMoveStatistics(this.#queue, moving, x.size / channels, channels, running.momentum);
      }
      return { output, mean, variance, running: moved };
    });
  }

  #batchNormGradient(
    outputGradient: Tensor,
    input: Tensor,
    scale: Tensor | null,
    mean: Tensor,
    variance: Tensor,
    epsilon: number,
  ): BatchNormGradient {
    return this.#store.atomically(() => {
      const action = 'compute batchNormGradient';
      const g = this.#own(outputGradient, action, 'outputGradient');
      const x = this.#own(input, action, 'input');
      const scaleBuffer = scale === null ? null : this.#own(scale, action, 'scale').buffer;
      const means = this.#own(mean, action, 'mean');
      const variances = this.#own(variance, action, 'variance');
      const channels = x.shape.at(-1)!;
      const inputGradient = this.#make(x.shape, 'float32');
      const scaleGradient = this.#make([channels], 'float32');
      const offsetGradient = this.#make([channels], 'float32');
      if (x.size === 0) {
        runFill(this.#queue, scaleGradient.buffer, channels, 0);
        runFill(this.#queue, offsetGradient.buffer, channels, 0);
        return { inputGradient, scaleGradient, offsetGradient };
      }
      const buffers = {
        outputGradient: g.buffer,
        input: x.buffer,
        scale: scaleBuffer,
        mean: means.buffer,
        variance: variances.buffer,
        inputGradient: inputGradient.buffer,
        scaleGradient: scaleGradient.buffer,
        offsetGradient: offsetGradient.buffer,
      };
      runBatchNormGradient(this.#queue, buffers, x.size / channels, channels, epsilon, this.#withTemporary);
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
    return this.#store.atomically(() => {
      const p = this.#own(parameter, 'compute adamStep', 'parameter');
      const g = this.#own(gradient, 'compute adamStep', 'gradient');
      const m = this.#own(firstMoment, 'compute adamStep', 'firstMoment');
      const v = this.#own(secondMoment, 'compute adamStep', 'secondMoment');
      const result = {
        parameter: this.#make(p.shape, 'float32'),
        firstMoment: this.#make(p.shape, 'float32'),
        secondMoment: this.#make(p.shape, 'float32'),
      };
      const buffers = {
        parameter: p.buffer,
        gradient: g.buffer,
        firstMoment: m.buffer,
        secondMoment: v.buffer,
        newParameter: result.parameter.buffer,
        newFirstMoment: result.firstMoment.buffer,
        newSecondMoment: result.secondMoment.buffer,
      };
      runAdam(this.#queue, buffers, p.size, options);
      return result;
    });
  }

  // --- inner workings ---

  #own(tensor: Tensor, action: string, parameter: string): WebgpuTensor {
    return this.#store.own(tensor, action, parameter);
  }

  #make(shape: Shape, dataType: DataType): WebgpuTensor {
    this.#store.mustBeOpen('make a tensor');
    const bytes = sizeOf(shape) * 4;
    const buffer = this.#queue.pool.take(bytes, `a tensor of shape ${formatShape(shape)}`);
    return this.#store.add({ buffer, bytes, references: 1 }, shape, dataType);
  }

  /** Lends a buffer of `count` elements. Commands run in order, so it may be lent anew before they have run. */
  readonly #withTemporary: WithTemporary = (count, body) => {
    const buffer = this.#queue.pool.take(count * 4, 'a temporary array');
    try {
      body(buffer);
    } finally {
      this.#queue.pool.give(buffer);
    }
  };
}

/** One input channel a group. A single channel makes a dense convolution. */
function isDepthwise(inputShape: Shape, { groups }: Conv2dOptions): boolean {
  return groups > 1 && groups === inputShape[3];
}
