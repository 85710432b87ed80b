import {
  type AveragePool2dOptions,
  type BinaryOperation,
  type Conv2dOptions,
  fail,
  type MemoryInfo,
  type Pool2dOptions,
  type ReduceOperation,
  type Shape,
  type Size2d,
  type Tensor,
  type TensorBackend,
  type TensorData,
  type UnaryOperation,
} from '@dafl/core';
import {
  broadcastShapes,
  joinedShape,
  paddedShape,
  productShape,
  reducedShape,
  sizeOf,
  type Storage,
  StoredTensor,
  TensorStore,
} from '@dafl/core/backend-base';
import type { FloatArray, NumericArray } from './_array.ts';
import { conv2d, conv2dFilterGradient, conv2dInputGradient } from './convolution.ts';
import { affine, binary, leakyRelu, leakyReluGradient, unary } from './element-wise.ts';
import { broadcast, concat, pad, slice, transpose } from './layout.ts';
import { matMul } from './matrix.ts';
import { averagePool2d, averagePool2dGradient, maxPool2d, maxPool2dGradient } from './pooling.ts';
import { argMax, oneHot, reduce } from './reduction.ts';
import { upsampleNearest2d, upsampleNearest2dGradient } from './upsampling.ts';

/** Options of `createCpuBackend`. */
export interface CpuBackendOptions {
  /**
   * What float tensors store, default `'float32'`. Both compute in float64; `'float32'` rounds each kernel's result
   * once, at its end.
   */
  readonly precision?: 'float64' | 'float32';
}

/**
 * The reference backend: plain loops in TypeScript, written to be read.
 *
 * It runs wherever JavaScript does and gives the same bits on each run. With `precision: 'float64'` it is what the tests
 * hold other backends to. It has no fused kernels, so core's own compositions run on it.
 *
 * @throws {DaflError} `USAGE` if `precision` is neither `'float64'` nor `'float32'`.
 * @example Usage
 * ```ts
 * import { createCpuBackend } from '@dafl/backend-cpu';
 *
 * const backend = createCpuBackend({ precision: 'float64' });
 * const input = backend.tensor(new Float64Array([1, -2]), [2]);
 * const output = backend.leakyRelu(input, 0.1);
 * await backend.read(output); // Float64Array [1, -0.2]
 * backend.dispose(input);
 * backend.dispose(output);
 * ```
 */
export function createCpuBackend(options: CpuBackendOptions = {}): TensorBackend {
  const { precision = 'float32' } = options;
  if (precision !== 'float64' && precision !== 'float32') {
    fail({ cannot: 'create the cpu backend', as: "'precision' must be 'float64' or 'float32'", value: precision });
  }
  return new CpuBackend(precision);
}

/** What tensors share: one array, in the type of their elements. */
interface CpuStorage extends Storage {
  readonly values: NumericArray;
}

class CpuTensor extends StoredTensor<CpuStorage> {}

class CpuBackend implements TensorBackend {
  readonly name = 'cpu';
  readonly description: string;
  readonly #precision: 'float64' | 'float32';
  readonly #store = new TensorStore<CpuStorage, CpuTensor>({
    name: 'cpu',
    tensorClass: CpuTensor,
    // The array goes with the tensors that hold it.
    free: () => {},
  });

  constructor(precision: 'float64' | 'float32') {
    this.#precision = precision;
    this.description = `cpu (pure TypeScript, ${precision})`;
  }

  // --- life of a tensor ---

  tensor(data: TensorData, shape: Shape): Tensor {
    this.#store.mustFit(data, shape);
    if (data instanceof Int32Array) return this.#own(data.slice(), shape);
    return this.#own(this.#precision === 'float64' ? new Float64Array(data) : new Float32Array(data), shape);
  }

  fill(shape: Shape, value: number): Tensor {
    return this.#round(new Float64Array(sizeOf(shape)).fill(value), shape);
  }

  async read(tensor: Tensor): Promise<TensorData> {
    return this.#values(tensor, 'read').slice();
  }

  dispose(tensor: Tensor): void {
    this.#store.dispose(tensor);
  }

  memory(): MemoryInfo {
    return this.#store.memory();
  }

  async close(): Promise<void> {
    this.#store.close();
  }

  // --- shape and movement ---

  reshape(input: Tensor, shape: Shape): Tensor {
    return this.#store.reshape(input, shape);
  }

  transpose(input: Tensor, permutation: readonly number[]): Tensor {
    const values = transpose(this.#values(input, 'transpose'), input.shape, permutation);
    return this.#own(
      values,
      permutation.map((axis) => input.shape[axis]),
    );
  }

  broadcast(input: Tensor, shape: Shape): Tensor {
    return this.#own(broadcast(this.#values(input, 'broadcast'), input.shape, shape), shape);
  }

  pad(input: Tensor, paddings: readonly (readonly [before: number, after: number])[], value: number): Tensor {
    const values = pad(this.#values(input, 'pad'), input.shape, paddings, value);
    return this.#own(values, paddedShape(input.shape, paddings));
  }

  slice(input: Tensor, begin: readonly number[], size: readonly number[]): Tensor {
    return this.#own(slice(this.#values(input, 'slice'), input.shape, begin, size), size);
  }

  concat(inputs: readonly Tensor[], axis: number): Tensor {
    const shapes = inputs.map((input) => input.shape);
    const values = concat(
      inputs.map((input) => this.#values(input, 'concat')),
      shapes,
      axis,
    );
    return this.#own(values, joinedShape(shapes, axis));
  }

  // --- element-wise ---

  unary(operation: UnaryOperation, input: Tensor): Tensor {
    return this.#round(unary(operation, this.#floats(input, operation)), input.shape);
  }

  binary(operation: BinaryOperation, left: Tensor, right: Tensor): Tensor {
    const leftValues = this.#floats(left, operation);
    const rightValues = this.#floats(right, operation);
    const shape = broadcastShapes(left.shape, right.shape);
    return this.#round(binary(operation, leftValues, left.shape, rightValues, right.shape, shape), shape);
  }

  affine(input: Tensor, factor: number, summand: number): Tensor {
    return this.#round(affine(this.#floats(input, 'affine'), factor, summand), input.shape);
  }

  leakyRelu(input: Tensor, slope: number): Tensor {
    return this.#round(leakyRelu(this.#floats(input, 'leakyRelu'), slope), input.shape);
  }

  leakyReluGradient(outputGradient: Tensor, output: Tensor, slope: number): Tensor {
    const action = 'leakyReluGradient';
    const values = leakyReluGradient(this.#floats(outputGradient, action), this.#floats(output, action), slope);
    return this.#round(values, output.shape);
  }

  // --- reductions ---

  reduce(operation: ReduceOperation, input: Tensor, axes: readonly number[], keepDimensions: boolean): Tensor {
    const values = reduce(operation, this.#floats(input, operation), input.shape, axes);
    return this.#round(values, reducedShape(input.shape, axes, keepDimensions));
  }

  argMax(input: Tensor): Tensor {
    const shape = input.shape.slice(0, -1);
    return this.#own(argMax(this.#floats(input, 'argMax'), sizeOf(shape), input.shape[shape.length]), shape);
  }

  oneHot(indices: Tensor, depth: number): Tensor {
    const values = this.#values(indices, 'oneHot') as Int32Array;
    return this.#round(oneHot(values, depth), [...indices.shape, depth]);
  }

  // --- matrices ---

  matMul(left: Tensor, right: Tensor, transposeLeft: boolean, transposeRight: boolean): Tensor {
    const values = matMul(
      this.#floats(left, 'matMul'),
      left.shape,
      this.#floats(right, 'matMul'),
      right.shape,
      transposeLeft,
      transposeRight,
    );
    return this.#round(values, productShape(left.shape, right.shape, transposeLeft, transposeRight));
  }

  // --- convolution ---

  conv2d(input: Tensor, filter: Tensor, bias: Tensor | null, options: Conv2dOptions): Tensor {
    const { values, shape } = conv2d(
      this.#floats(input, 'conv2d'),
      input.shape,
      this.#floats(filter, 'conv2d'),
      filter.shape,
      bias === null ? null : this.#floats(bias, 'conv2d'),
      options,
    );
    return this.#round(values, shape);
  }

  conv2dInputGradient(outputGradient: Tensor, filter: Tensor, inputShape: Shape, options: Conv2dOptions): Tensor {
    const action = 'conv2dInputGradient';
    const values = conv2dInputGradient(
      this.#floats(outputGradient, action),
      this.#floats(filter, action),
      filter.shape,
      inputShape,
      options,
    );
    return this.#round(values, inputShape);
  }

  conv2dFilterGradient(input: Tensor, outputGradient: Tensor, filterShape: Shape, options: Conv2dOptions): Tensor {
    const action = 'conv2dFilterGradient';
    const values = conv2dFilterGradient(
      this.#floats(input, action),
      input.shape,
      this.#floats(outputGradient, action),
      filterShape,
      options,
    );
    return this.#round(values, filterShape);
  }

  // --- pooling and resampling ---

  maxPool2d(input: Tensor, options: Pool2dOptions): Tensor {
    const { values, shape } = maxPool2d(this.#floats(input, 'maxPool2d'), input.shape, options);
    return this.#round(values, shape);
  }

  maxPool2dGradient(outputGradient: Tensor, input: Tensor, output: Tensor, options: Pool2dOptions): Tensor {
    const action = 'maxPool2dGradient';
    const values = maxPool2dGradient(
      this.#floats(outputGradient, action),
      this.#floats(input, action),
      input.shape,
      this.#floats(output, action),
      options,
    );
    return this.#round(values, input.shape);
  }

  averagePool2d(input: Tensor, options: AveragePool2dOptions): Tensor {
    const { values, shape } = averagePool2d(this.#floats(input, 'averagePool2d'), input.shape, options);
    return this.#round(values, shape);
  }

  averagePool2dGradient(outputGradient: Tensor, inputShape: Shape, options: AveragePool2dOptions): Tensor {
    const values = averagePool2dGradient(this.#floats(outputGradient, 'averagePool2dGradient'), inputShape, options);
    return this.#round(values, inputShape);
  }

  upsampleNearest2d(input: Tensor, factors: Size2d): Tensor {
    const [batch, height, width, channels] = input.shape;
    const values = upsampleNearest2d(this.#floats(input, 'upsampleNearest2d'), input.shape, factors);
    return this.#round(values, [batch, height * factors[0], width * factors[1], channels]);
  }

  upsampleNearest2dGradient(outputGradient: Tensor, factors: Size2d): Tensor {
    const [batch, height, width, channels] = outputGradient.shape;
    const inputShape = [batch, height / factors[0], width / factors[1], channels];
    const gradientValues = this.#floats(outputGradient, 'upsampleNearest2dGradient');
    return this.#round(upsampleNearest2dGradient(gradientValues, inputShape, factors), inputShape);
  }

  // --- bookkeeping ---

  /** Makes a tensor of an array that nobody else holds. */
  #own(values: NumericArray, shape: Shape): Tensor {
    this.#store.mustBeOpen('make a tensor');
    const dataType = values instanceof Int32Array ? 'int32' : 'float32';
    return this.#store.add({ values, bytes: values.byteLength, references: 1 }, shape, dataType);
  }

  /** Makes a tensor of what a kernel computed in float64. */
  #round(values: Float64Array, shape: Shape): Tensor {
    return this.#own(this.#precision === 'float64' ? values : new Float32Array(values), shape);
  }

  /** The values of a tensor that is this backend's and alive. */
  #values(tensor: Tensor, action: string): NumericArray {
    return this.#store.own(tensor, action, 'tensor').storage.values;
  }

  /** The values of a live float tensor. Core vouches for the type. */
  #floats(tensor: Tensor, kernel: string): FloatArray {
    return this.#values(tensor, `compute ${kernel}`) as FloatArray;
  }
}
