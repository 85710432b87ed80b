import {
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
  type Tensor,
  type TensorBackend,
  type TensorData,
  type UnaryOperation,
} from '@dafl/core';
import {
  broadcastShapes,
  convolvedShape,
  isSameShape,
  joinedShape,
  paddedShape,
  pooledShape,
  productShape,
  reducedShape,
  sizeOf,
  StoredTensor,
  TensorStore,
} from '@dafl/core/backend-base';
import { adamStep } from './adam.ts';
import { addBias } from './add-bias.ts';
import { convolve, convolveFilterGradient, convolveInputGradient } from './convolution.ts';
import { affine, binary, clip, clipGradient, repeat, unary } from './element-wise.ts';
import { concat, type Made, pad, type Shaped, slice } from './layout.ts';
import { batchNorm, batchNormGradient, frozenBatchNorm } from './normalization.ts';
import {
  averagePool,
  averagePoolGradient,
  maxPool,
  maxPoolGradient,
  upsampleNearest,
  upsampleNearestGradient,
} from './pooling.ts';
import { reduce } from './reduction.ts';
import { softmaxDivergence } from './softmax-divergence.ts';
import { Cut, Storage } from './storage.ts';
import { FLOAT32, INT32, Tensorflow, type TensorId } from './tensorflow.ts';
import type { TensorflowBinding } from './tensorflow-binding.ts';
import {
  upsampleConvolve,
  upsampleConvolveFilterGradient,
  upsampleConvolveInputGradient,
} from './upsample-convolution.ts';

const BYTES_PER_ELEMENT = 4;
const MOST_BROADCAST_AXES = 4;

class NodeTensor extends StoredTensor<Storage> implements Shaped {
  get id(): TensorId {
    return this.storage.as(this.shape);
  }

  as(shape: Shape): TensorId {
    return this.storage.as(shape);
  }

  derive(key: string, make: () => TensorId): TensorId {
    return this.storage.derive(key, make);
  }
}

/** The backend behind `createNodeBackend`. */
export class NodeBackend implements TensorBackend {
  readonly name: string = 'node';
  readonly description: string;
  readonly fused: Partial<FusedKernels> = {
    upsampleConv2d: (input, filter, bias) => this.#upsampleConv2d(input, filter, bias),
    upsampleConv2dInputGradient: (outputGradient, filter) => {
      const [gradient, kernel] = [this.#own(outputGradient), this.#own(filter)];
      const [batch, height, width] = gradient.shape;
      return this.#compute([batch, height / 2, width / 2, kernel.shape[2]], () =>
        upsampleConvolveInputGradient(this.#tf, gradient, kernel),
      );
    },
    upsampleConv2dFilterGradient: (input, outputGradient) => {
      const [source, gradient] = [this.#own(input), this.#own(outputGradient)];
      return this.#compute([3, 3, source.shape[3], gradient.shape[3]], () =>
        upsampleConvolveFilterGradient(this.#tf, source, gradient),
      );
    },
    softmax: (logits) => {
      const source = this.#own(logits);
      return this.#compute(source.shape, () => this.#tf.run('Softmax', [source.id]));
    },
    softmaxDivergence: (logits, target) => {
      const [source, probabilities] = [this.#own(logits), this.#own(target)];
      const shapes = [source.shape.slice(0, 1), source.shape];
      const [divergence, logitsGradient] = this.#computeMany(shapes, () =>
        softmaxDivergence(this.#tf, source, probabilities),
      );
      return { divergence, logitsGradient };
    },
    batchNorm: (input, scale, offset, epsilon, running) => this.#batchNorm(input, scale, offset, epsilon, running),
    frozenBatchNorm: (input, mean, variance, scale, offset, epsilon) => {
      const [source, spread] = [this.#own(input), this.#own(variance)];
      const [average, factor, shift] = [mean, scale, offset].map((tensor) => (tensor ? this.#own(tensor).id : null));
      return this.#compute(source.shape, () =>
        frozenBatchNorm(this.#tf, source, {
          mean: average,
          variance: spread.id,
          scale: factor,
          offset: shift,
          epsilon,
        }),
      );
    },
    channelStatistics: (input) => this.#channelStatistics(input),
    clip: (input, low, high) => this.#computeEach([this.#own(input)], ([id]) => clip(this.#tf, id, low, high)),
    clipGradient: (outputGradient, input, low, high) =>
      this.#computeEach([this.#own(outputGradient), this.#own(input)], ([gradient, id]) =>
        clipGradient(this.#tf, gradient, id, low, high),
      ),
    batchNormGradient: (outputGradient, input, scale, mean, variance, epsilon) =>
      this.#batchNormGradient(outputGradient, input, scale, mean, variance, epsilon),
    flatten: (tensors) => this.#flatten(tensors),
    unflatten: (flat, shapes) => this.#unflatten(flat, shapes),
    adamStep: (parameter, gradient, firstMoment, secondMoment, options) => {
      const inputs = [parameter, gradient, firstMoment, secondMoment].map((tensor) => this.#own(tensor));
      const [{ shape }] = inputs;
      const ids = inputs.map(({ id }) => id);
      const [updated, first, second] = this.#computeMany([shape, shape, shape], () => adamStep(this.#tf, ids, options));
      return { parameter: updated, firstMoment: first, secondMoment: second };
    },
  };
  readonly #tf: Tensorflow;
  readonly #store: TensorStore<Storage, NodeTensor>;
  /** Those whose memory TensorFlow holds until it is told. */
  readonly #storages = new Set<Storage>();

  constructor(binding: TensorflowBinding, description: string) {
    this.#tf = new Tensorflow(binding);
    this.description = description;
    this.#store = new TensorStore<Storage, NodeTensor>({
      name: this.name,
      tensorClass: NodeTensor,
      free: (storage) => this.#free(storage),
    });
  }

  // --- tensors ---

  tensor(data: TensorData, shape: Shape): Tensor {
    this.#store.mustBeOpen('make a tensor');
    this.#store.mustFit(data, shape);
    // A copy in any case: TensorFlow would share the array, which is the caller's again when this returns.
    const isInteger = data instanceof Int32Array;
    const id = this.#tf.create(isInteger ? data.slice() : Float32Array.from(data), shape);
    return this.#register(id, shape, isInteger ? 'int32' : 'float32');
  }

  fill(shape: Shape, value: number): Tensor {
    this.#store.mustBeOpen('make a tensor');
    const storage = new Storage(this.#tf, { value: Math.fround(value) }, shape, sizeOf(shape) * BYTES_PER_ELEMENT);
    return this.#adopt(storage, shape, 'float32');
  }

  async read(tensor: Tensor): Promise<TensorData> {
    return this.#tf.binding.tensorDataSync(this.#own(tensor).storage.id);
  }

  dispose(tensor: Tensor): void {
    this.#store.dispose(tensor);
  }

  memory(): MemoryInfo {
    return this.#store.memory();
  }

  async close(): Promise<void> {
    if (!this.#store.close()) return;
    for (const storage of this.#storages) storage.free();
    this.#storages.clear();
    this.#tf.close();
  }

  // --- shape and movement ---

  reshape(input: Tensor, shape: Shape): Tensor {
    return this.#store.reshape(input, shape);
  }

  transpose(input: Tensor, permutation: readonly number[]): Tensor {
    const source = this.#own(input);
    const shape = permutation.map((axis) => source.shape[axis]);
    const inputs = [source.id, this.#tf.integers(permutation)];
    return this.#compute(shape, () => this.#tf.run('Transpose', inputs), source.dataType);
  }

  broadcast(input: Tensor, shape: Shape): Tensor {
    const source = this.#own(input);
    const { value } = source.storage;
    if (value !== null) return this.fill(shape, value);
    // Tile, as BroadcastTo refuses to repeat several axes that lie apart.
    const repeats = shape.map((length, axis) => (source.shape[axis] === 1 ? length : 1));
    return this.#compute(shape, () => this.#tf.run('Tile', [source.id, this.#tf.integers(repeats)]));
  }

  pad(input: Tensor, paddings: readonly (readonly [before: number, after: number])[], value: number): Tensor {
    const source = this.#own(input);
    const shape = paddedShape(source.shape, paddings);
    if (shape.length === 0) return this.#compute(shape, () => this.#tf.run('Identity', [source.id]), source.dataType);
    const run = (): TensorId => {
      if (source.dataType === 'float32') return pad(this.#tf, source.id, paddings, value);
      const sizes = this.#tf.integers(paddings.flat(), [paddings.length, 2]);
      return this.#tf.run('PadV2', [source.id, sizes, this.#tf.integers([value], [])]);
    };
    return this.#compute(shape, run, source.dataType);
  }

  slice(input: Tensor, begin: readonly number[], size: readonly number[]): Tensor {
    const source = this.#own(input);
    return this.#compute([...size], () => slice(this.#tf, source.id, begin, size), source.dataType);
  }

  concat(inputs: readonly Tensor[], axis: number): Tensor {
    const sources = inputs.map((input) => this.#own(input));
    const [{ dataType }] = sources;
    const shape = joinedShape(
      sources.map((source) => source.shape),
      axis,
    );
    if (sizeOf(shape) === sources.length && dataType === 'float32') {
      const numbers = { N: { kind: 'integer', value: sources.length }, T: FLOAT32 } as const;
      const pack = () =>
        this.#tf.run(
          'Pack',
          sources.map((source) => source.as([])),
          numbers,
        );
      return this.#compute(shape, () => ({ id: pack(), shape: [sources.length] }));
    }
    const ids = sources.map(({ id }) => id);
    return this.#compute(shape, () => concat(this.#tf, ids, axis, dataType), dataType);
  }

  // --- element-wise ---

  unary(operation: UnaryOperation, input: Tensor): Tensor {
    return this.#computeEach([this.#own(input)], ([id]) => unary(this.#tf, operation, id));
  }

  binary(operation: BinaryOperation, left: Tensor, right: Tensor): Tensor {
    const [a, b] = [this.#own(left), this.#own(right)];
    const shape = broadcastShapes(a.shape, b.shape);
    const run = (ids: readonly TensorId[]): TensorId => binary(this.#tf, operation, ids);
    // Losses hand gradients down that are one number many times.
    const factor = operation === 'multiply' ? (b.storage.value ?? a.storage.value) : null;
    const other = b.storage.value === null ? b : a;
    if (factor !== null && isSameShape(other.shape, shape)) return this.affine(other, factor, 0);
    if (isSameShape(a.shape, b.shape)) return this.#computeEach([a, b], run);
    // TensorFlow cannot broadcast both sides along more axes than this at once.
    const isIntricate = shape.length > MOST_BROADCAST_AXES;
    const full = (tensor: NodeTensor): TensorId => (isIntricate ? repeat(this.#tf, tensor, shape) : tensor.id);
    return this.#compute(shape, () => run([full(a), full(b)]));
  }

  affine(input: Tensor, factor: number, summand: number): Tensor {
    const source = this.#own(input);
    const { value } = source.storage;
    if (value !== null) {
      return this.fill(source.shape, Math.fround(value * Math.fround(factor)) + Math.fround(summand));
    }
    return this.#computeEach([source], ([id]) => affine(this.#tf, id, factor, summand));
  }

  leakyRelu(input: Tensor, slope: number): Tensor {
    return this.#computeEach([this.#own(input)], (ids) =>
      slope === 0
        ? this.#tf.run('Relu', ids)
        : this.#tf.run('LeakyRelu', ids, { alpha: { kind: 'float', value: slope } }),
    );
  }

  leakyReluGradient(outputGradient: Tensor, output: Tensor, slope: number): Tensor {
    return this.#computeEach([this.#own(outputGradient), this.#own(output)], (ids) =>
      slope === 0
        ? this.#tf.run('ReluGrad', ids)
        : this.#tf.run('LeakyReluGrad', ids, { alpha: { kind: 'float', value: slope } }),
    );
  }

  // --- reductions ---

  reduce(operation: ReduceOperation, input: Tensor, axes: readonly number[], keepDimensions: boolean): Tensor {
    const source = this.#own(input);
    const shape = reducedShape(source.shape, axes, keepDimensions);
    return this.#compute(shape, () => reduce(this.#tf, operation, source, axes, keepDimensions));
  }

  argMax(input: Tensor): Tensor {
    const source = this.#own(input);
    const inputs = [source.id, this.#tf.integers([-1], [])];
    return this.#compute(
      source.shape.slice(0, -1),
      () => this.#tf.run('ArgMax', inputs, { output_type: INT32 }),
      'int32',
    );
  }

  oneHot(indices: Tensor, depth: number): Tensor {
    const source = this.#own(indices);
    const tf = this.#tf;
    const inputs = [source.id, tf.integers([depth], []), tf.scalar(1), tf.scalar(0)];
    return this.#compute([...source.shape, depth], () =>
      tf.run('OneHot', inputs, { axis: { kind: 'integer', value: -1 } }),
    );
  }

  // --- matrices ---

  matMul(left: Tensor, right: Tensor, transposeLeft: boolean, transposeRight: boolean): Tensor {
    const [a, b] = [this.#own(left), this.#own(right)];
    const shape = productShape(a.shape, b.shape, transposeLeft, transposeRight);
    return this.#compute(shape, () =>
      this.#tf.run('MatMul', [a.id, b.id], {
        transpose_a: { kind: 'boolean', value: transposeLeft },
        transpose_b: { kind: 'boolean', value: transposeRight },
      }),
    );
  }

  // --- convolution ---

  conv2d(input: Tensor, filter: Tensor, bias: Tensor | null, options: Conv2dOptions): Tensor {
    const [source, kernel] = [this.#own(input), this.#own(filter)];
    const offset = bias === null ? null : this.#own(bias);
    const shape = convolvedShape(source.shape, kernel.shape, options);
    return this.#compute(shape, () => addBias(this.#tf, convolve(this.#tf, source, kernel, options), shape, offset));
  }

  conv2dInputGradient(outputGradient: Tensor, filter: Tensor, inputShape: Shape, options: Conv2dOptions): Tensor {
    const [gradient, kernel] = [this.#own(outputGradient), this.#own(filter)];
    return this.#compute(inputShape, () => convolveInputGradient(this.#tf, gradient, kernel, inputShape, options));
  }

  conv2dFilterGradient(input: Tensor, outputGradient: Tensor, filterShape: Shape, options: Conv2dOptions): Tensor {
    const [source, gradient] = [this.#own(input), this.#own(outputGradient)];
    return this.#compute(filterShape, () => convolveFilterGradient(this.#tf, source, gradient, filterShape, options));
  }

  // --- pooling and resampling ---

  maxPool2d(input: Tensor, options: Pool2dOptions): Tensor {
    const source = this.#own(input);
    return this.#compute(pooledShape(source.shape, options), () => maxPool(this.#tf, source, options));
  }

  maxPool2dGradient(outputGradient: Tensor, input: Tensor, output: Tensor, options: Pool2dOptions): Tensor {
    const [gradient, source, pooled] = [this.#own(outputGradient), this.#own(input), this.#own(output)];
    return this.#compute(source.shape, () => maxPoolGradient(this.#tf, gradient.id, source, pooled.id, options));
  }

  averagePool2d(input: Tensor, options: AveragePool2dOptions): Tensor {
    const source = this.#own(input);
    return this.#compute(pooledShape(source.shape, options), () => averagePool(this.#tf, source, options));
  }

  averagePool2dGradient(outputGradient: Tensor, inputShape: Shape, options: AveragePool2dOptions): Tensor {
    const gradient = this.#own(outputGradient);
    return this.#compute(inputShape, () => averagePoolGradient(this.#tf, gradient.id, inputShape, options));
  }

  upsampleNearest2d(input: Tensor, factors: Size2d): Tensor {
    const source = this.#own(input);
    const [batch, height, width, channels] = source.shape;
    const shape = [batch, height * factors[0], width * factors[1], channels];
    return this.#compute(shape, () => upsampleNearest(this.#tf, source, factors));
  }

  upsampleNearest2dGradient(outputGradient: Tensor, factors: Size2d): Tensor {
    const gradient = this.#own(outputGradient);
    const [batch, height, width, channels] = gradient.shape;
    const shape = [batch, height / factors[0], width / factors[1], channels];
    return this.#compute(shape, () => upsampleNearestGradient(this.#tf, gradient.id, factors));
  }

  // --- fused ---

  #upsampleConv2d(input: Tensor, filter: Tensor, bias: Tensor | null): Tensor {
    const [source, kernel] = [this.#own(input), this.#own(filter)];
    const offset = bias === null ? null : this.#own(bias);
    const [batch, height, width] = source.shape;
    const shape = [batch, 2 * height, 2 * width, kernel.shape[3]];
    return this.#compute(shape, () => addBias(this.#tf, upsampleConvolve(this.#tf, source, kernel), shape, offset));
  }

  #batchNorm(
    input: Tensor,
    scale: Tensor | null,
    offset: Tensor | null,
    epsilon: number,
    running: RunningStatistics | null,
  ): BatchNormResult {
    const source = this.#own(input);
    const [factor, shift] = [scale, offset].map((tensor) => (tensor === null ? null : this.#own(tensor).id));
    const old = running && {
      mean: this.#own(running.mean).id,
      variance: this.#own(running.variance).id,
      momentum: running.momentum,
    };
    const statistics = source.shape.slice(-1);
    const shapes = [source.shape, ...Array<Shape>(running === null ? 2 : 4).fill(statistics)];
    const [output, mean, variance, ...moved] = this.#computeMany(shapes, () => {
      const normalized = batchNorm(this.#tf, source, factor, shift, epsilon, old);
      const made = [normalized.output, normalized.mean, normalized.variance];
      return normalized.running === null ? made : [...made, normalized.running.mean, normalized.running.variance];
    });
    return { output, mean, variance, running: running && { mean: moved[0], variance: moved[1] } };
  }

  /** TensorFlow has no kernel that takes both in one pass and normalises nothing. */
  #channelStatistics(input: Tensor): ChannelStatistics {
    const source = this.#own(input);
    const statistics = source.shape.slice(-1);
    const [mean, variance] = this.#computeMany([statistics, statistics], () => {
      const normalized = batchNorm(this.#tf, source, null, null, 1, null);
      this.#tf.keep(normalized.output.id);
      return [normalized.mean, normalized.variance];
    });
    return { mean, variance };
  }

  #batchNormGradient(
    outputGradient: Tensor,
    input: Tensor,
    scale: Tensor | null,
    mean: Tensor,
    variance: Tensor,
    epsilon: number,
  ): BatchNormGradient {
    const [gradient, source, average, spread] = [outputGradient, input, mean, variance].map((tensor) =>
      this.#own(tensor),
    );
    const factor = scale === null ? null : this.#own(scale).id;
    const statistics = source.shape.slice(-1);
    const [inputGradient, scaleGradient, offsetGradient] = this.#computeMany(
      [source.shape, statistics, statistics],
      () => {
        const result = batchNormGradient(this.#tf, gradient, source, factor, average.id, spread.id, epsilon);
        return [result.input, result.scale, result.offset];
      },
    );
    return { inputGradient, scaleGradient, offsetGradient };
  }

  #flatten(tensors: readonly Tensor[]): Tensor {
    const sources = tensors.map((tensor) => this.#own(tensor));
    const sizes = sources.map(({ shape }) => sizeOf(shape));
    const shape = [sizes.reduce((total, size) => total + size, 0)];
    const cut = sources[0].storage.part?.cut;
    const isWhole =
      cut !== undefined &&
      cut.sizes.length === sources.length &&
      sources.every(({ storage }, index) => storage.part?.cut === cut && storage.part.index === index);
    if (isWhole) return this.#store.share(cut.source, shape, 'float32');
    return this.#compute(shape, () => {
      const rows = sources.map((source, index) => source.as([sizes[index]]));
      return concat(this.#tf, rows, 0);
    });
  }

  #unflatten(flat: Tensor, shapes: readonly Shape[]): Tensor[] {
    const { storage: source } = this.#own(flat);
    const cut = new Cut(this.#tf, source, shapes.map(sizeOf));
    return shapes.map((shape, index) => {
      source.references++;
      const size = cut.sizes[index];
      return this.#adopt(new Storage(this.#tf, { cut, index }, [size], size * BYTES_PER_ELEMENT), shape, 'float32');
    });
  }

  // --- plumbing ---

  #own(tensor: Tensor): NodeTensor {
    return this.#store.own(tensor, 'use a tensor', 'tensor');
  }

  #register(made: TensorId | Made, shape: Shape, dataType: DataType): NodeTensor {
    const { id, shape: madeAs } = typeof made === 'number' ? { id: made, shape } : made;
    return this.#adopt(new Storage(this.#tf, id, madeAs, sizeOf(shape) * BYTES_PER_ELEMENT), shape, dataType);
  }

  /** The first tensor of a storage. */
  #adopt(storage: Storage, shape: Shape, dataType: DataType): NodeTensor {
    this.#storages.add(storage);
    return this.#store.add(storage, shape, dataType);
  }

  #free(storage: Storage): void {
    this.#storages.delete(storage);
    storage.free();
    if (storage.part !== null) this.#store.release(storage.part.cut.source);
  }

  /** Runs a kernel of one result and frees its temporaries. */
  #compute(shape: Shape, run: () => TensorId | Made, dataType: DataType = 'float32'): NodeTensor {
    this.#store.mustBeOpen('make a tensor');
    const made = this.#tf.scope(run);
    this.#tf.trimConstants();
    return this.#register(made, shape, dataType);
  }

  /** Runs a kernel of elements that stand at one place in all of its arguments, whatever shape those are in. */
  #computeEach(sources: readonly NodeTensor[], run: (ids: readonly TensorId[]) => TensorId): NodeTensor {
    const [{ shape, storage }] = sources;
    const { madeAs } = storage;
    const made = () => ({ id: run(sources.map((source) => source.as(madeAs))), shape: madeAs });
    return this.#compute(shape, made);
  }

  /** Runs a kernel of several float results and frees its temporaries. */
  #computeMany(shapes: readonly Shape[], run: () => readonly (TensorId | Made)[]): NodeTensor[] {
    const results = this.#tf.scope(run);
    this.#tf.trimConstants();
    return results.map((made, index) => this.#register(made, shapes[index], 'float32'));
  }
}
