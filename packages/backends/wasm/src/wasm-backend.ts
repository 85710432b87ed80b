import type {
  AdamStepOptions,
  AdamStepResult,
  AveragePool2dOptions,
  BatchNormGradient,
  BatchNormResult,
  BinaryOperation,
  ChannelStatistics,
  Conv2dOptions,
  DataType,
  FusedKernels,
  MemoryInfo,
  Pool2dOptions,
  ReduceOperation,
  RunningStatistics,
  Shape,
  Size2d,
  SoftmaxDivergenceResult,
  Tensor,
  TensorBackend,
  TensorData,
  UnaryOperation,
} from '@dafl/core';
import {
  broadcastShapes,
  broadcastStrides,
  convolvedShape,
  formatShape,
  joinedShape,
  paddedShape,
  pooledShape,
  productShape,
  reducedShape,
  sizeOf,
  stridesOf,
  TensorStore,
} from '@dafl/core/backend-base';
import { runAdam } from './adam.ts';
import { runBatchNorm, runBatchNormGradient, runChannelStatistics, runFrozenBatchNorm } from './batch-norm.ts';
import { runConv2d, runConv2dFilterGradient, runConv2dInputGradient } from './conv2d.ts';
import { runBinary, runUnary } from './element-wise.ts';
import type { ElementKernelName, ElementValues } from './kernel-arguments.ts';
import { KernelRunner, type KernelRunnerOptions } from './kernel-runner.ts';
import { runFill, runStridedCopy } from './layout.ts';
import { runMatMul } from './matrix.ts';
import { runAveragePool, runAveragePoolGradient, runMaxPool, runMaxPoolGradient } from './pooling.ts';
import { runArgMax, runOneHot, runReduction } from './reduction.ts';
import { runSoftmaxDivergence } from './softmax-divergence.ts';
import {
  runUpsampleConvolution,
  runUpsampleConvolutionFilterGradient,
  runUpsampleConvolutionInputGradient,
} from './upsample-convolution.ts';
import { runUpsample, runUpsampleGradient } from './upsampling.ts';
import { type WasmStorage, WasmTensor } from './wasm-tensor.ts';

export type { KernelExports } from './kernel-runner.ts';

/** The backend behind `createWasmBackend`. */
export class WasmBackend implements TensorBackend {
  readonly name: string = 'wasm';
  readonly description: string;
  readonly fused: Partial<FusedKernels> = {
    batchNorm: (input, scale, offset, epsilon, running) => this.#batchNorm(input, scale, offset, epsilon, running),
    frozenBatchNorm: (input, mean, variance, scale, offset, epsilon) =>
      this.#frozenBatchNorm(input, mean, variance, scale, offset, epsilon),
    channelStatistics: (input) => this.#channelStatistics(input),
    clip: (input, low, high) => this.#mapElements('clip', 1, { input }, { low, high }),
    clipGradient: (outputGradient, input, low, high) =>
      this.#mapElements('clipGradient', 1, { outputGradient, input }, { low, high }),
    // Transcendental functions take some twenty times as long as the rest.
    gelu: (input) => this.#mapElements('gelu', 8, { input }, {}),
    geluGradient: (outputGradient, input) => this.#mapElements('geluGradient', 16, { outputGradient, input }, {}),
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
  readonly #store: TensorStore<WasmStorage, WasmTensor>;

  constructor(options: KernelRunnerOptions & { readonly description: string }) {
    this.description = options.description;
    this.#runner = new KernelRunner(options);
    this.#store = new TensorStore<WasmStorage, WasmTensor>({
      name: this.name,
      tensorClass: WasmTensor,
      free: ({ address }) => this.#runner.heap.free(address),
    });
  }

  // --- tensors ---

  tensor(data: TensorData, shape: Shape): Tensor {
    const isInteger = data instanceof Int32Array;
    this.#store.mustFit(data, shape);
    const result = this.#create(shape, isInteger ? 'int32' : 'float32');
    if (isInteger) this.#integers(result).set(data);
    else this.#floats(result).set(data);
    return result;
  }

  fill(shape: Shape, value: number): Tensor {
    const result = this.#create(shape, 'float32');
    runFill(this.#runner, result.address, result.size, value);
    return result;
  }

  async read(tensor: Tensor): Promise<TensorData> {
    const source = this.#own(tensor, 'read', 'tensor');
    return source.dataType === 'int32' ? this.#integers(source).slice() : this.#floats(source).slice();
  }

  dispose(tensor: Tensor): void {
    this.#store.dispose(tensor);
  }

  memory(): MemoryInfo {
    return this.#store.memory();
  }

  async close(): Promise<void> {
    if (this.#store.close()) await this.#runner.close();
  }

  // --- shape and movement ---

  reshape(input: Tensor, shape: Shape): Tensor {
    return this.#store.reshape(input, shape);
  }

  transpose(input: Tensor, permutation: readonly number[]): Tensor {
    const source = this.#own(input, 'transpose', 'input');
    const strides = stridesOf(source.shape);
    const shape = permutation.map((axis) => source.shape[axis]);
    const result = this.#create(shape, source.dataType);
    const from = permutation.map((axis) => strides[axis]);
    runStridedCopy(this.#runner, source.address, from, result.address, stridesOf(shape), shape);
    return result;
  }

  broadcast(input: Tensor, shape: Shape): Tensor {
    const source = this.#own(input, 'broadcast', 'input');
    const result = this.#create(shape, 'float32');
    if (source.size === 1) {
      runFill(this.#runner, result.address, result.size, this.#floats(source)[0]);
    } else {
      const strides = broadcastStrides(source.shape, shape);
      runStridedCopy(this.#runner, source.address, strides, result.address, stridesOf(shape), shape);
    }
    return result;
  }

  pad(input: Tensor, paddings: readonly (readonly [before: number, after: number])[], value: number): Tensor {
    const source = this.#own(input, 'pad', 'input');
    const { shape, address, dataType } = source;
    const result = this.#create(paddedShape(shape, paddings), dataType);
    runFill(this.#runner, result.address, result.size, value, dataType);
    const strides = stridesOf(result.shape);
    const start = strides.reduce((sum, stride, axis) => sum + stride * paddings[axis][0], 0);
    runStridedCopy(this.#runner, address, stridesOf(shape), result.address + start * 4, strides, shape);
    return result;
  }

  slice(input: Tensor, begin: readonly number[], size: readonly number[]): Tensor {
    const source = this.#own(input, 'slice', 'input');
    const result = this.#create(size, source.dataType);
    const strides = stridesOf(source.shape);
    const start = strides.reduce((sum, stride, axis) => sum + stride * begin[axis], 0);
    runStridedCopy(this.#runner, source.address + start * 4, strides, result.address, stridesOf(size), size);
    return result;
  }

  concat(inputs: readonly Tensor[], axis: number): Tensor {
    const sources = inputs.map((input) => this.#own(input, 'concatenate', 'inputs'));
    const shapes = sources.map(({ shape }) => shape);
    const result = this.#create(joinedShape(shapes, axis), sources[0].dataType);
    const strides = stridesOf(result.shape);
    let start = 0;
    for (const { shape, address } of sources) {
      const to = result.address + start * strides[axis] * 4;
      runStridedCopy(this.#runner, address, stridesOf(shape), to, strides, shape);
      start += shape[axis];
    }
    return result;
  }

  // --- element-wise ---

  unary(operation: UnaryOperation, input: Tensor): Tensor {
    const source = this.#own(input, operation, 'input');
    const result = this.#create(source.shape, 'float32');
    runUnary(this.#runner, operation, source, result);
    return result;
  }

  binary(operation: BinaryOperation, left: Tensor, right: Tensor): Tensor {
    return this.#store.atomically(() => {
      const a = this.#own(left, operation, 'left');
      const b = this.#own(right, operation, 'right');
      const result = this.#create(broadcastShapes(a.shape, b.shape), 'float32');
      runBinary(this.#runner, operation, a, b, result);
      return result;
    });
  }

  affine(input: Tensor, factor: number, summand: number): Tensor {
    return this.#mapElements('affine', 1, { input }, { factor, summand });
  }

  leakyRelu(input: Tensor, slope: number): Tensor {
    return this.#mapElements('leakyRelu', 1, { input }, { slope });
  }

  leakyReluGradient(outputGradient: Tensor, output: Tensor, slope: number): Tensor {
    return this.#mapElements('leakyReluGradient', 1, { outputGradient, reluOutput: output }, { slope });
  }

  // --- reductions ---

  reduce(operation: ReduceOperation, input: Tensor, axes: readonly number[], keepDimensions: boolean): Tensor {
    return this.#store.atomically(() => {
      const source = this.#own(input, `reduce (${operation})`, 'input');
      const result = this.#create(reducedShape(source.shape, axes, keepDimensions), 'float32');
      runReduction(this.#runner, operation, source, result, axes);
      return result;
    });
  }

  argMax(input: Tensor): Tensor {
    const source = this.#own(input, 'compute argMax', 'input');
    const result = this.#create(source.shape.slice(0, -1), 'int32');
    runArgMax(this.#runner, source, result);
    return result;
  }

  oneHot(indices: Tensor, depth: number): Tensor {
    const source = this.#own(indices, 'compute oneHot', 'indices');
    const result = this.#create([...source.shape, depth], 'float32');
    runOneHot(this.#runner, source, result);
    return result;
  }

  // --- matrices ---

  matMul(left: Tensor, right: Tensor, transposeLeft: boolean, transposeRight: boolean): Tensor {
    return this.#store.atomically(() => {
      const a = this.#own(left, 'compute matMul', 'left');
      const b = this.#own(right, 'compute matMul', 'right');
      const result = this.#create(productShape(a.shape, b.shape, transposeLeft, transposeRight), 'float32');
      runMatMul(this.#runner, a, b, result, transposeLeft, transposeRight);
      return result;
    });
  }

  // --- convolution ---

  conv2d(input: Tensor, filter: Tensor, bias: Tensor | null, options: Conv2dOptions): Tensor {
    return this.#store.atomically(() => {
      const x = this.#own(input, 'compute conv2d', 'input');
      const w = this.#own(filter, 'compute conv2d', 'filter');
      const b = this.#ownIfAny(bias, 'compute conv2d', 'bias');
      const result = this.#create(convolvedShape(x.shape, w.shape, options), 'float32');
      runConv2d(this.#runner, x, w, b?.address ?? 0, result, options);
      return result;
    });
  }

  conv2dInputGradient(outputGradient: Tensor, filter: Tensor, inputShape: Shape, options: Conv2dOptions): Tensor {
    return this.#store.atomically(() => {
      const g = this.#own(outputGradient, 'compute conv2dInputGradient', 'outputGradient');
      const w = this.#own(filter, 'compute conv2dInputGradient', 'filter');
      const result = this.#create(inputShape, 'float32');
      runConv2dInputGradient(this.#runner, g, w, result, options);
      return result;
    });
  }

  conv2dFilterGradient(input: Tensor, outputGradient: Tensor, filterShape: Shape, options: Conv2dOptions): Tensor {
    return this.#store.atomically(() => {
      const x = this.#own(input, 'compute conv2dFilterGradient', 'input');
      const g = this.#own(outputGradient, 'compute conv2dFilterGradient', 'outputGradient');
      const result = this.#create(filterShape, 'float32');
      runConv2dFilterGradient(this.#runner, x, g, result, options);
      return result;
    });
  }

  // --- pooling and resampling ---

  maxPool2d(input: Tensor, options: Pool2dOptions): Tensor {
    const x = this.#own(input, 'compute maxPool2d', 'input');
    const result = this.#create(pooledShape(x.shape, options), 'float32');
    runMaxPool(this.#runner, x, result, options);
    return result;
  }

  maxPool2dGradient(outputGradient: Tensor, input: Tensor, output: Tensor, options: Pool2dOptions): Tensor {
    const g = this.#own(outputGradient, 'compute maxPool2dGradient', 'outputGradient');
    const x = this.#own(input, 'compute maxPool2dGradient', 'input');
    const y = this.#own(output, 'compute maxPool2dGradient', 'output');
    const result = this.#create(x.shape, 'float32');
    runMaxPoolGradient(this.#runner, g, x, y, result, options);
    return result;
  }

  averagePool2d(input: Tensor, options: AveragePool2dOptions): Tensor {
    const x = this.#own(input, 'compute averagePool2d', 'input');
    const result = this.#create(pooledShape(x.shape, options), 'float32');
    runAveragePool(this.#runner, x, result, options);
    return result;
  }

  averagePool2dGradient(outputGradient: Tensor, inputShape: Shape, options: AveragePool2dOptions): Tensor {
    const g = this.#own(outputGradient, 'compute averagePool2dGradient', 'outputGradient');
    const result = this.#create(inputShape, 'float32');
    runAveragePoolGradient(this.#runner, g, result, options);
    return result;
  }

  upsampleNearest2d(input: Tensor, factors: Size2d): Tensor {
    const x = this.#own(input, 'compute upsampleNearest2d', 'input');
    const [batch, height, width, channels] = x.shape;
    const result = this.#create([batch, height * factors[0], width * factors[1], channels], 'float32');
    runUpsample(this.#runner, x, result, factors);
    return result;
  }

  upsampleNearest2dGradient(outputGradient: Tensor, factors: Size2d): Tensor {
    const g = this.#own(outputGradient, 'compute upsampleNearest2dGradient', 'outputGradient');
    const [batch, height, width, channels] = g.shape;
    const result = this.#create([batch, height / factors[0], width / factors[1], channels], 'float32');
    runUpsampleGradient(this.#runner, g, result, factors);
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
    return this.#store.atomically(() => {
      const action = 'compute batchNorm';
      const x = this.#own(input, action, 'input');
      const weights = {
        scale: this.#ownIfAny(scale, action, 'scale'),
        offset: this.#ownIfAny(offset, action, 'offset'),
        epsilon,
      };
      const from = running && {
        mean: this.#own(running.mean, action, 'running.mean'),
        variance: this.#own(running.variance, action, 'running.variance'),
      };
      const output = this.#create(x.shape, 'float32');
      const statistics = this.#createStatistics(x.shape);
      const to = running && this.#createStatistics(x.shape);
      const moved = running && { from: from!, to: to!, momentum: running.momentum };
      runBatchNorm(this.#runner, x, weights, output, statistics, moved);
      return { output, ...statistics, running: to };
    });
  }

  #channelStatistics(input: Tensor): ChannelStatistics {
    return this.#store.atomically(() => {
      const x = this.#own(input, 'compute channelStatistics', 'input');
      const statistics = this.#createStatistics(x.shape);
      runChannelStatistics(this.#runner, x, statistics);
      return statistics;
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
      const x = this.#own(input, action, 'input');
      const means = this.#ownIfAny(mean, action, 'mean');
      const variances = this.#own(variance, action, 'variance');
      const weights = {
        scale: this.#ownIfAny(scale, action, 'scale'),
        offset: this.#ownIfAny(offset, action, 'offset'),
        epsilon,
      };
      const output = this.#create(x.shape, 'float32');
      runFrozenBatchNorm(this.#runner, x, means, variances, weights, output);
      return output;
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
      const factor = this.#ownIfAny(scale, action, 'scale');
      const statistics = {
        mean: this.#own(mean, action, 'mean'),
        variance: this.#own(variance, action, 'variance'),
      };
      const channels = x.shape.slice(-1);
      const result = {
        inputGradient: this.#create(x.shape, 'float32'),
        scaleGradient: this.#create(channels, 'float32'),
        offsetGradient: this.#create(channels, 'float32'),
      };
      runBatchNormGradient(this.#runner, g, x, factor, statistics, epsilon, result);
      return result;
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
        parameter: this.#create(p.shape, 'float32'),
        firstMoment: this.#create(p.shape, 'float32'),
        secondMoment: this.#create(p.shape, 'float32'),
      };
      runAdam(this.#runner, [p, g, m, v], result, options);
      return result;
    });
  }

  #upsampleConv2d(input: Tensor, filter: Tensor, bias: Tensor | null): Tensor {
    return this.#store.atomically(() => {
      const x = this.#own(input, 'compute upsampleConv2d', 'input');
      const w = this.#own(filter, 'compute upsampleConv2d', 'filter');
      const b = this.#ownIfAny(bias, 'compute upsampleConv2d', 'bias');
      const [batch, height, width] = x.shape;
      const result = this.#create([batch, 2 * height, 2 * width, w.shape[3]], 'float32');
      runUpsampleConvolution(this.#runner, x, w, b?.address ?? 0, result);
      return result;
    });
  }

  #upsampleConv2dInputGradient(outputGradient: Tensor, filter: Tensor): Tensor {
    return this.#store.atomically(() => {
      const g = this.#own(outputGradient, 'compute upsampleConv2dInputGradient', 'outputGradient');
      const w = this.#own(filter, 'compute upsampleConv2dInputGradient', 'filter');
      const [batch, height, width] = g.shape;
      const result = this.#create([batch, height / 2, width / 2, w.shape[2]], 'float32');
      runUpsampleConvolutionInputGradient(this.#runner, g, w, result);
      return result;
    });
  }

  #upsampleConv2dFilterGradient(input: Tensor, outputGradient: Tensor): Tensor {
    return this.#store.atomically(() => {
      const x = this.#own(input, 'compute upsampleConv2dFilterGradient', 'input');
      const g = this.#own(outputGradient, 'compute upsampleConv2dFilterGradient', 'outputGradient');
      const result = this.#create([3, 3, x.shape[3], g.shape[3]], 'float32');
      runUpsampleConvolutionFilterGradient(this.#runner, x, g, result);
      return result;
    });
  }

  #softmaxDivergence(logits: Tensor, target: Tensor): SoftmaxDivergenceResult {
    return this.#store.atomically(() => {
      const x = this.#own(logits, 'compute softmaxDivergence', 'logits');
      const t = this.#own(target, 'compute softmaxDivergence', 'target');
      const divergence = this.#create(x.shape.slice(0, 1), 'float32');
      const logitsGradient = this.#create(x.shape, 'float32');
      runSoftmaxDivergence(this.#runner, x, t, divergence, logitsGradient);
      return { divergence, logitsGradient };
    });
  }

  // --- inner workings ---

  #own(tensor: Tensor, action: string, parameter: string): WasmTensor {
    return this.#store.own(tensor, action, parameter);
  }

  #ownIfAny(tensor: Tensor | null, action: string, parameter: string): WasmTensor | null {
    return tensor === null ? null : this.#store.own(tensor, action, parameter);
  }

  #create(shape: Shape, dataType: DataType): WasmTensor {
    this.#store.mustBeOpen('make a tensor');
    const bytes = sizeOf(shape) * 4;
    const address = this.#runner.heap.allocate(bytes, `a tensor of shape ${formatShape(shape)}`);
    return this.#store.add({ address, bytes, references: 1 }, shape, dataType);
  }

  /** A mean and a variance for each channel of a shape. */
  #createStatistics(shape: Shape): { readonly mean: WasmTensor; readonly variance: WasmTensor } {
    const channels = shape.slice(-1);
    return { mean: this.#create(channels, 'float32'), variance: this.#create(channels, 'float32') };
  }

  #floats(tensor: WasmTensor): Float32Array {
    return new Float32Array(this.#runner.heap.memory.buffer, tensor.address, tensor.size);
  }

  #integers(tensor: WasmTensor): Int32Array {
    return new Int32Array(this.#runner.heap.memory.buffer, tensor.address, tensor.size);
  }

  /**
   * Makes one tensor of others of its shape, element by element.
   *
   * @param inputs Those arguments of the kernel that are tensors.
   * @param numbers The others, but for the result.
   */
  #mapElements<Name extends ElementKernelName, Input extends keyof ElementValues<Name> & string>(
    kernel: Name,
    workOfElement: number,
    inputs: Readonly<Record<Input, Tensor>>,
    numbers: Omit<ElementValues<Name>, Input | 'output'>,
  ): Tensor {
    const values: Record<string, number> = { ...numbers };
    let shape: Shape | null = null;
    for (const [name, tensor] of Object.entries<Tensor>(inputs)) {
      const source = this.#own(tensor, `compute ${kernel}`, 'input');
      shape ??= source.shape;
      values[name] = source.address;
    }
    const result = this.#create(shape!, 'float32');
    values.output = result.address;
    const { size } = result;
    this.#runner.runElements(kernel, size, size * workOfElement, values as unknown as ElementValues<Name>);
    return result;
  }
}
