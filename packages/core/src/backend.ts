/**
 * The contract between dafl and whatever does the arithmetic.
 *
 * Core composes every forward pass, derivative and update from the kernels below and imports no backend. The comments
 * state the whole contract: a backend can be written from them alone, and the conformance suite (`@dafl/conformance`)
 * holds it to them.
 *
 * Conventions that hold for every kernel:
 * - Layout is NHWC for images (`[batch, height, width, channels]`) and `[height, width, inputChannels / groups,
 *   outputChannels]` for filters.
 * - Tensors are immutable. A kernel never writes to its arguments and returns a tensor that the caller owns and must
 *   dispose. Passing the same tensor twice is allowed.
 * - Kernels are synchronous to call; the arithmetic may still be under way when they return. `read` waits for it.
 * - Float arguments are `'float32'` unless said otherwise. Backends of higher precision (the float64 reference) keep
 *   the name `'float32'` and compute in theirs.
 * - NaN and infinities propagate as in IEEE 754, also through `maximum`, `minimum`, the `max` reduction and max pooling;
 *   comparisons with NaN, and `step` of it, give 0. What a non-finite filter value over padding gives is open.
 * - Sums of many float32 values keep a relative error near 1e-5: no single running sum over a million of them.
 * - Arguments are validated by core, not by kernels: shapes are right when a kernel is called.
 */

/** Sizes of each axis, outermost first. `[]` is a scalar. Every size is an integer >= 0. */
export type Shape = readonly number[];

/** `'float32'` for values, `'int32'` for class labels and indices. */
export type DataType = 'float32' | 'int32';

/** An opaque handle to an array that lives on a backend. Only the backend that made it can read it. */
export interface Tensor {
  readonly shape: Shape;
  readonly dataType: DataType;
}

/** What `TensorBackend.read` returns: float tensors as floats (float64 on a float64 backend), int32 tensors as int32. */
export type TensorData = Float32Array | Float64Array | Int32Array;

/**
 * Live tensors and their bytes, exactly (no alignment, no pools). Tensors that share memory (`reshape`) count once each,
 * their bytes once together.
 */
export interface MemoryInfo {
  readonly tensors: number;
  readonly bytes: number;
}

/**
 * Element-wise operations of one argument.
 *
 * `step` is 1 where the input is > 0, else 0. `sigmoid` is 1 / (1 + exp(-x)). `erf` is the Gauss error function with an
 * absolute error below 1e-6 (1e-12 on a float64 backend is welcome, not required). `log` of 0 is -Infinity.
 */
export type UnaryOperation =
  | 'negate'
  | 'abs'
  | 'sign'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'square'
  | 'reciprocal'
  | 'tanh'
  | 'sigmoid'
  | 'erf'
  | 'step';

/** Element-wise operations of two arguments. `greater` and `equal` give 1 or 0 as floats. */
export type BinaryOperation = 'add' | 'subtract' | 'multiply' | 'divide' | 'maximum' | 'minimum' | 'greater' | 'equal';

/** Reductions over axes. `max` of an empty axis is -Infinity. */
export type ReduceOperation = 'sum' | 'mean' | 'max';

/** Zeros added around height and width: rows above and below, columns left and right. Integers >= 0. */
export interface Padding2d {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** `[vertical, horizontal]`, both integers >= 1. */
export type Size2d = readonly [height: number, width: number];

/** Geometry of a convolution (cross-correlation, as every deep-learning framework has it). */
export interface Conv2dOptions {
  readonly strides: Size2d;
  readonly padding: Padding2d;
  readonly dilations: Size2d;
  /** Divides both channel counts; `groups === inputChannels` is a depthwise convolution. */
  readonly groups: number;
}

/** Geometry of a pooling window. */
export interface Pool2dOptions {
  readonly windowSize: Size2d;
  readonly strides: Size2d;
  readonly padding: Padding2d;
}

/** Geometry of an average-pooling window. */
export interface AveragePool2dOptions extends Pool2dOptions {
  /** Whether padded positions count in the divisor (PyTorch's default) or not (TensorFlow's). */
  readonly countsPadding: boolean;
}

/** Running statistics of a batch normalisation, which follow those of its batches. */
export interface RunningStatistics {
  /** Shape `[channels]`. */
  readonly mean: Tensor;
  /** Shape `[channels]`. */
  readonly variance: Tensor;
  /** Share of the batch in the new statistics, in (0, 1]. */
  readonly momentum: number;
}

/** Mean and variance of each channel. */
export interface ChannelStatistics {
  /** Shape `[channels]`. */
  readonly mean: Tensor;
  /** Shape `[channels]`. */
  readonly variance: Tensor;
}

/** Result of a training-mode batch normalisation. */
export interface BatchNormResult {
  /** Shape of the input. */
  readonly output: Tensor;
  /** Batch mean of each channel, shape `[channels]`. */
  readonly mean: Tensor;
  /** Biased batch variance of each channel, shape `[channels]`. */
  readonly variance: Tensor;
  /** The new running statistics, or null where none were given. */
  readonly running: ChannelStatistics | null;
}

/** Gradients of a training-mode batch normalisation. */
export interface BatchNormGradient {
  readonly inputGradient: Tensor;
  /** Sum over all positions of outputGradient x normalised input, shape `[channels]`. */
  readonly scaleGradient: Tensor;
  /** Sum over all positions of outputGradient, shape `[channels]`. */
  readonly offsetGradient: Tensor;
}

/** Numbers of one Adam update; see `optimizers/adam.ts` for the equations. */
export interface AdamStepOptions {
  /** Step size with the bias correction already in it: learningRate / (1 - beta1^t). */
  readonly stepSize: number;
  readonly beta1: number;
  readonly beta2: number;
  /** sqrt(1 - beta2^t): the second moment's root is divided by it before epsilon is added. */
  readonly secondMomentCorrection: number;
  readonly epsilon: number;
}

/** Result of one Adam update; the caller owns all three. */
export interface AdamStepResult {
  readonly parameter: Tensor;
  readonly firstMoment: Tensor;
  readonly secondMoment: Tensor;
}

/** What `softmaxDivergence` gives. */
export interface SoftmaxDivergenceResult {
  /** Of each row, in nats, shape `[batch]`. */
  readonly divergence: Tensor;
  /** Derivative of each row's divergence with respect to its logits, shape `[batch, classes]`. */
  readonly logitsGradient: Tensor;
}

/**
 * Faster forms of what core can compose from the primitives. A backend may have none of them; results must agree with
 * the composition up to rounding.
 */
export interface FusedKernels {
  /**
   * Nearest upsampling by two, then a convolution of kernel 3x3, stride 1 and padding 1. Up to the border, the four
   * outputs above one input pixel read no more than 2x2 input pixels each, which makes 16 multiplications of the 36; a
   * backend that has this kernel has its two gradients too.
   *
   * @param input Shape `[batch, height, width, inputChannels]`.
   * @param filter Shape `[3, 3, inputChannels, outputChannels]`.
   * @param bias Shape `[outputChannels]`, or null.
   * @returns Shape `[batch, 2 height, 2 width, outputChannels]`.
   */
  upsampleConv2d(input: Tensor, filter: Tensor, bias: Tensor | null): Tensor;

  /** The derivative of `upsampleConv2d` with respect to its input. */
  upsampleConv2dInputGradient(outputGradient: Tensor, filter: Tensor): Tensor;

  /** The derivative of `upsampleConv2d` with respect to its filter. */
  upsampleConv2dFilterGradient(input: Tensor, outputGradient: Tensor): Tensor;

  /**
   * Kullback-Leibler divergence of softmax(logits) from a target, per row, without overflow:
   * divergence = sum(target x (log(target) - logSoftmax(logits))), 0 log 0 being 0, and logitsGradient =
   * softmax(logits) - target. For a one-hot target this is the cross-entropy.
   *
   * @param logits Shape `[batch, classes]`.
   * @param target Probabilities of the same shape; each row sums to 1.
   */
  softmaxDivergence(logits: Tensor, target: Tensor): SoftmaxDivergenceResult;

  /**
   * Softmax of each row, without overflow.
   *
   * @param logits Shape `[batch, classes]`.
   */
  softmax(logits: Tensor): Tensor;

  /**
   * Normalises over all axes but the last with the batch's own mean and biased variance:
   * output = (input - mean) / sqrt(variance + epsilon) * scale + offset.
   *
   * Running statistics, where they are given, move towards the batch's: (1 - momentum) old + momentum x batch, with the
   * unbiased variance: variance x count / max(1, count - 1), count being the number of positions.
   *
   * @param input Any shape of rank >= 2, channels last.
   * @param scale Shape `[channels]`, or null for 1.
   * @param offset Shape `[channels]`, or null for 0.
   */
  batchNorm(
    input: Tensor,
    scale: Tensor | null,
    offset: Tensor | null,
    epsilon: number,
    running: RunningStatistics | null,
  ): BatchNormResult;

  /**
   * Normalises by given statistics: output = (input - mean) / sqrt(variance + epsilon) * scale + offset. Its derivative
   * is itself, of the gradient, with neither mean nor offset.
   *
   * @param input Any shape of rank >= 2, channels last.
   * @param mean Shape `[channels]`, or null for 0.
   * @param variance Shape `[channels]`.
   * @param scale Shape `[channels]`, or null for 1.
   * @param offset Shape `[channels]`, or null for 0.
   */
  frozenBatchNorm(
    input: Tensor,
    mean: Tensor | null,
    variance: Tensor,
    scale: Tensor | null,
    offset: Tensor | null,
    epsilon: number,
  ): Tensor;

  /**
   * Mean and biased variance of each channel over all axes but the last.
   *
   * @param input Any shape of rank >= 2, channels last.
   */
  channelStatistics(input: Tensor): ChannelStatistics;

  /** The input where it lies in low..high (finite, low < high), the nearer bound elsewhere; NaN stays NaN. */
  clip(input: Tensor, low: number, high: number): Tensor;

  /** The derivative of `clip`: outputGradient where low < input < high, 0 elsewhere. */
  clipGradient(outputGradient: Tensor, input: Tensor, low: number, high: number): Tensor;

  /** input x (1 + erf(input / sqrt(2))) / 2, as exact as `erf` is. */
  gelu(input: Tensor): Tensor;

  /** The derivative of `gelu`: outputGradient x ((1 + erf(x / sqrt(2))) / 2 + x exp(-x^2 / 2) / sqrt(2 pi)). */
  geluGradient(outputGradient: Tensor, input: Tensor): Tensor;

  /** The derivative of `batchNorm`, given its input and the mean and variance that it returned. */
  batchNormGradient(
    outputGradient: Tensor,
    input: Tensor,
    scale: Tensor | null,
    mean: Tensor,
    variance: Tensor,
    epsilon: number,
  ): BatchNormGradient;

  /**
   * Several tensors end to end as one vector. A backend that has this kernel has `unflatten` too: those for which a call
   * costs more than a copy. What came of one `unflatten` may be joined again without a copy.
   *
   * @param tensors Any shapes, at least one tensor.
   * @returns Shape `[elements of all]`.
   */
  flatten(tensors: readonly Tensor[]): Tensor;

  /**
   * The inverse of `flatten`.
   *
   * @param flat Shape `[elements of all shapes]`. It stays the caller's.
   * @returns One tensor of each shape; may share memory with `flat`.
   */
  unflatten(flat: Tensor, shapes: readonly Shape[]): Tensor[];

  /**
   * One Adam update:
   * m' = beta1 m + (1 - beta1) g; v' = beta2 v + (1 - beta2) g^2;
   * p' = p - stepSize m' / (sqrt(v') / secondMomentCorrection + epsilon).
   */
  adamStep(
    parameter: Tensor,
    gradient: Tensor,
    firstMoment: Tensor,
    secondMoment: Tensor,
    options: AdamStepOptions,
  ): AdamStepResult;
}

/** Tensor arithmetic on one device. See the head of this file for the conventions. */
export interface TensorBackend {
  /** Short name as users give it: `'cpu'`, `'wasm'`, ... */
  readonly name: string;

  /** What a report should say of it, for example `'wasm (relaxed SIMD, 2 threads)'`. */
  readonly description: string;

  /** Faster forms of composed operations, where the backend has them. */
  readonly fused?: Partial<FusedKernels>;

  /**
   * Copies `data` into a new tensor.
   *
   * @param data Row-major values, as many as the shape has elements. Float data makes a `'float32'` tensor, int32 data
   * an `'int32'` one. The array may be reused by the caller at once.
   */
  tensor(data: TensorData, shape: Shape): Tensor;

  /** A float tensor whose elements all are `value`. */
  fill(shape: Shape, value: number): Tensor;

  /** Waits for the tensor's value and copies it out. The tensor stays alive. */
  read(tensor: Tensor): Promise<TensorData>;

  /** Frees the tensor. Using it afterwards, or disposing it twice, throws. */
  dispose(tensor: Tensor): void;

  /** What is alive now. */
  memory(): MemoryInfo;

  /**
   * Frees everything, workers and devices included; `memory()` is zero afterwards and every other use throws. Calling it
   * twice is allowed.
   */
  close(): Promise<void>;

  // --- shape and movement: also for int32 tensors ---

  /** The same elements in another shape of equal size. May share memory with its argument; both must be disposed. */
  reshape(input: Tensor, shape: Shape): Tensor;

  /** Axis i of the output is axis `permutation[i]` of the input. Rank <= 6. */
  transpose(input: Tensor, permutation: readonly number[]): Tensor;

  /** Repeats axes of size 1 to those of a shape of the same rank. Float tensors. Rank <= 6. */
  broadcast(input: Tensor, shape: Shape): Tensor;

  /** Puts `before` and `after` elements of `value` around each axis. Rank <= 6. */
  pad(input: Tensor, paddings: readonly (readonly [before: number, after: number])[], value: number): Tensor;

  /** The block of shape `size` that starts at `begin`. Rank <= 6. */
  slice(input: Tensor, begin: readonly number[], size: readonly number[]): Tensor;

  /** Joins tensors that agree in every axis but `axis`. At least one tensor. Rank <= 6. */
  concat(inputs: readonly Tensor[], axis: number): Tensor;

  // --- element-wise ---

  /** Applies `operation` to each element. */
  unary(operation: UnaryOperation, input: Tensor): Tensor;

  /** Applies `operation` to each pair, with NumPy broadcasting (right-aligned; axes of size 1 repeat). Rank <= 6. */
  binary(operation: BinaryOperation, left: Tensor, right: Tensor): Tensor;

  /** input x factor + summand, with both given as numbers. */
  affine(input: Tensor, factor: number, summand: number): Tensor;

  /** The input where it is > 0, `slope` x input elsewhere. `slope` 0 is ReLU: 0 also for -Infinity. NaN stays NaN. */
  leakyRelu(input: Tensor, slope: number): Tensor;

  /**
   * The derivative of `leakyRelu`: outputGradient where `output` is > 0, `slope` x outputGradient elsewhere.
   *
   * @param output What `leakyRelu` returned (its sign tells the branch, as slope >= 0).
   */
  leakyReluGradient(outputGradient: Tensor, output: Tensor, slope: number): Tensor;

  // --- reductions ---

  /**
   * Reduces over `axes` (distinct, ascending; all axes give a scalar, none give the input).
   *
   * @param keepDimensions Whether reduced axes stay, with size 1.
   */
  reduce(operation: ReduceOperation, input: Tensor, axes: readonly number[], keepDimensions: boolean): Tensor;

  /** Index of the first largest element along the last axis; int32, that axis removed. */
  argMax(input: Tensor): Tensor;

  /** Float tensor `[...indices.shape, depth]`: 1 at each index, 0 elsewhere. Indices outside 0..depth-1 give zeros. */
  oneHot(indices: Tensor, depth: number): Tensor;

  // --- matrices ---

  /** Product of two rank-2 tensors, each transposed first where asked. */
  matMul(left: Tensor, right: Tensor, transposeLeft: boolean, transposeRight: boolean): Tensor;

  // --- convolution ---

  /**
   * Output size of each spatial axis: floor((size + padding before + after - dilation x (kernel - 1) - 1) / stride) + 1.
   *
   * @param input Shape `[batch, height, width, inputChannels]`.
   * @param filter Shape `[kernelHeight, kernelWidth, inputChannels / groups, outputChannels]`; output channels of one
   * group are adjacent.
   * @param bias Shape `[outputChannels]`, added to each position; or null.
   */
  conv2d(input: Tensor, filter: Tensor, bias: Tensor | null, options: Conv2dOptions): Tensor;

  /** The derivative of `conv2d` with respect to its input, of shape `inputShape`. */
  conv2dInputGradient(outputGradient: Tensor, filter: Tensor, inputShape: Shape, options: Conv2dOptions): Tensor;

  /** The derivative of `conv2d` with respect to its filter, of shape `filterShape`. */
  conv2dFilterGradient(input: Tensor, outputGradient: Tensor, filterShape: Shape, options: Conv2dOptions): Tensor;

  // --- pooling and resampling ---

  /** Largest element of each window; padded positions never win, and no window lies in padding alone. Output sizes as for `conv2d` with dilation 1. */
  maxPool2d(input: Tensor, options: Pool2dOptions): Tensor;

  /** The derivative of `maxPool2d`: each output's gradient goes to the first largest element of its window (row-major). */
  maxPool2dGradient(outputGradient: Tensor, input: Tensor, output: Tensor, options: Pool2dOptions): Tensor;

  /** Mean of each window. Output sizes as for `maxPool2d`. */
  averagePool2d(input: Tensor, options: AveragePool2dOptions): Tensor;

  /** The derivative of `averagePool2d`, of shape `inputShape`. */
  averagePool2dGradient(outputGradient: Tensor, inputShape: Shape, options: AveragePool2dOptions): Tensor;

  /** Repeats each pixel `factors[0]` times down and `factors[1]` times across. */
  upsampleNearest2d(input: Tensor, factors: Size2d): Tensor;

  /** The derivative of `upsampleNearest2d`: sums each block of `factors` pixels. */
  upsampleNearest2dGradient(outputGradient: Tensor, factors: Size2d): Tensor;
}
