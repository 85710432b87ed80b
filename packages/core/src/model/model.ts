import type { Padding2d, Size2d } from '../backend.ts';

/** How an activation node bends its input. `hardSigmoid` is clip(x / 6 + 1 / 2, 0, 1); `gelu` is the exact form with erf. */
export type ActivationFunction =
  | 'relu'
  | 'relu6'
  | 'leakyRelu'
  | 'sigmoid'
  | 'hardSigmoid'
  | 'hardSwish'
  | 'silu'
  | 'gelu'
  | 'tanh'
  | 'softmax';

interface NodeBase {
  /** Unique in its graph; letters, digits and `._/-`. Weights are named after it: `<name>.kernel`. */
  readonly name: string;
  /** Names of the nodes it reads; `'input'` is the graph's input. */
  readonly inputs: readonly string[];
}

/** Weights `kernel` `[kernelHeight, kernelWidth, inputChannels / groups, filters]` and, with `useBias`, `bias` `[filters]`. */
export interface Conv2dNode extends NodeBase {
  readonly kind: 'conv2d';
  readonly filters: number;
  readonly kernelSize: Size2d;
  readonly strides: Size2d;
  readonly padding: Padding2d;
  readonly dilations: Size2d;
  readonly groups: number;
  readonly useBias: boolean;
}

/** Weights `kernel` `[inputSize, units]` and, with `useBias`, `bias` `[units]`. Reads `[batch, inputSize]`. */
export interface DenseNode extends NodeBase {
  readonly kind: 'dense';
  readonly units: number;
  readonly useBias: boolean;
}

/**
 * Weights `scale`, `offset` (with `affine`), `runningMean` and `runningVariance`, each `[channels]`. In training the
 * running values move by `momentum` towards the batch's; momentum 0 leaves them as they are.
 */
export interface BatchNormNode extends NodeBase {
  readonly kind: 'batchNorm';
  readonly epsilon: number;
  readonly momentum: number;
  readonly affine: boolean;
}

/** Bends each element. */
export interface ActivationNode extends NodeBase {
  readonly kind: 'activation';
  readonly function: ActivationFunction;
  /** Slope below 0 of `leakyRelu`; absent otherwise. */
  readonly slope?: number;
}

/** input x factor + summand, with constants: one for all channels, or one for each. */
export interface AffineNode extends NodeBase {
  readonly kind: 'affine';
  readonly factor: readonly number[];
  readonly summand: readonly number[];
}

/** Largest element of each window. */
export interface MaxPoolNode extends NodeBase {
  readonly kind: 'maxPool2d';
  readonly windowSize: Size2d;
  readonly strides: Size2d;
  readonly padding: Padding2d;
}

/** Mean of each window. */
export interface AveragePoolNode extends NodeBase {
  readonly kind: 'averagePool2d';
  readonly windowSize: Size2d;
  readonly strides: Size2d;
  readonly padding: Padding2d;
  readonly countsPadding: boolean;
}

/** Mean over height and width: `[batch, height, width, channels]` to `[batch, channels]`. */
export interface GlobalAveragePoolNode extends NodeBase {
  readonly kind: 'globalAveragePool2d';
}

/** Element-wise sum of its inputs, with broadcasting. */
export interface AddNode extends NodeBase {
  readonly kind: 'add';
}

/** Element-wise product of its inputs, with broadcasting (squeeze-and-excitation gates). */
export interface MultiplyNode extends NodeBase {
  readonly kind: 'multiply';
}

/** Joins its inputs along the channels. */
export interface ConcatNode extends NodeBase {
  readonly kind: 'concat';
}

/** Zeros around height and width. */
export interface PadNode extends NodeBase {
  readonly kind: 'pad2d';
  readonly padding: Padding2d;
}

/** Repeats pixels. */
export interface UpsampleNode extends NodeBase {
  readonly kind: 'upsampleNearest2d';
  readonly factors: Size2d;
}

/** Gives each example the shape `shape` (without the batch). */
export interface ReshapeNode extends NodeBase {
  readonly kind: 'reshape';
  readonly shape: readonly number[];
}

/**
 * Makes one row of each example. `order` says in which order a `[height, width, channels]` input is read: `'hwc'` as
 * it lies, or `'chw'` as a network that was trained in NCHW expects.
 */
export interface FlattenNode extends NodeBase {
  readonly kind: 'flatten';
  readonly order: 'hwc' | 'chw';
}

/** Zeroes a share `rate` of its inputs in training and scales the rest by 1 / (1 - rate); nothing in inference. */
export interface DropoutNode extends NodeBase {
  readonly kind: 'dropout';
  readonly rate: number;
}

/** One step of a network. The set is closed: importers lower what they read to these. */
export type ModelNode =
  | Conv2dNode
  | DenseNode
  | BatchNormNode
  | ActivationNode
  | AffineNode
  | MaxPoolNode
  | AveragePoolNode
  | GlobalAveragePoolNode
  | AddNode
  | MultiplyNode
  | ConcatNode
  | PadNode
  | UpsampleNode
  | ReshapeNode
  | FlattenNode
  | DropoutNode;

/** What turns stored pixels (0..1 after division by 255) into the network's input: (pixel - mean) / deviation. */
export interface Preprocessing {
  /** How images of another size are brought to the input's: bilinear with half-pixel centres, no antialiasing. */
  readonly resize: 'bilinear';
  /** One for each channel. */
  readonly mean: readonly number[];
  /** One for each channel, > 0. */
  readonly standardDeviation: readonly number[];
}

/** A network as data, without its weights. */
export interface Graph {
  readonly name: string;
  /** Shape of one example: `[height, width, channels]` for images, `[size]` for vectors. */
  readonly inputShape: readonly number[];
  /** Each node stands after those that it reads. */
  readonly nodes: readonly ModelNode[];
  /**
   * Node names by role. A classifier has `logits` (`[batch, classes]`, unnormalised) and `features` (what the dense
   * head reads: the argument of DAFL's activation loss). A generator has `images`.
   */
  readonly outputs: Readonly<Record<string, string>>;
  /** Absent where the input is no picture. */
  readonly preprocessing?: Preprocessing;
  /** Of the classes, in the order of the logits. */
  readonly classNames?: readonly string[];
}

/** Values of one weight on the host. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A network: its graph and its weights by name (`<node>.<weight>`). */
export interface Model {
  readonly graph: Graph;
  readonly weights: ReadonlyMap<string, HostTensor>;
}
