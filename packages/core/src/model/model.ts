import type * as kinds from './nodes/kinds.ts';
import type { NodeKind } from './node-kind.ts';

/** The node that a kind describes. */
type NodeOf<Kind> = Kind extends NodeKind<infer Node> ? Node : never;

/** One step of a network, of one of the kinds in `nodes/`; importers lower what they read to these. */
export type ModelNode = NodeOf<(typeof kinds)[keyof typeof kinds]>;

/** The nodes of one kind: `NodeOfKind<'conv2d'>`. */
export type NodeOfKind<Kind extends ModelNode['kind']> = Extract<ModelNode, { readonly kind: Kind }>;

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
  /** Computes the graph's opaque node, where it has one: another program, at another place perhaps. */
  readonly answer?: AnswerImages;
}

/**
 * Asks another program.
 *
 * @param images Preprocessed, channels last.
 * @param shape `[batch, height, width, channels]`.
 * @returns Logits or logarithms of probabilities, shape `[batch, classes]`.
 */
export type AnswerImages = (images: Float32Array, shape: readonly number[]) => Promise<Float32Array>;
