import type { Shape } from '../backend.ts';
import type { Tape, Value } from '../autodiff/tape.ts';
import type { Variable } from '../autodiff/variable.ts';
import type { RandomStream } from '../random.ts';
import type { ChannelFlow, Layout, NodeChannels } from './channel-flow.ts';
import type { FieldReaders } from './field-readers.ts';

/** What every node has. */
export interface NodeBase {
  /** Unique in its graph; letters, digits and `._/-`. Weights are named after it: `<name>.kernel`. */
  readonly name: string;
  /** Names of the nodes it reads; `'input'` is the graph's input. */
  readonly inputs: readonly string[];
}

/** One weight of a node. */
export interface WeightSpecification {
  readonly shape: Shape;
  /** Whether optimizers train it. */
  readonly trainable: boolean;
  /** What a fresh weight holds: this value everywhere, or values drawn uniformly from -bound..bound. */
  readonly initial: number | { readonly bound: number };
  /** Smallest value that it may hold; absent: any. */
  readonly least?: number;
}

/** What a node gives and needs. All shapes are of one example, without the batch. */
export interface NodeShapes {
  readonly output: Shape;
  readonly weights: Readonly<Record<string, WeightSpecification>>;
}

/** What a node takes for one example. */
export interface NodeCost {
  /** Of convolutions and matrix products. */
  readonly multiplyAccumulates: number;
  /** Multiply-accumulates, comparisons or values written, whatever the node does most of. */
  readonly operations: number;
  /** Values that it may need beside its result, such as a padded copy of its input. */
  readonly workspace: number;
}

/** Says what a node must do (`rule`) and what it has (`value`). */
export type Fail = (rule: string, value: string) => never;

/** What a node may use as it runs. */
export interface NodeContext {
  readonly tape: Tape;
  readonly mode: 'inference' | 'training';
  /** Number of examples. */
  readonly batch: number;
  readonly shapes: NodeShapes;
  /** What another program said of the examples, where it was asked: the output of an opaque node. */
  readonly answers?: Value;
  /** Source of dropout masks. */
  readonly random?: RandomStream;
  /** One of the node's weights. */
  readonly weight: (name: string) => Value;
  /** One of the node's weights as it is kept: for statistics that move as the node runs. */
  readonly variable: (name: string) => Variable;
}

/** All that dafl knows of one kind of node. */
export interface NodeKind<Node extends NodeBase> {
  /** The fields beside name, kind and inputs, in the order in which files have them, and their ranges. */
  readonly fields: FieldReaders<Omit<Node, 'kind' | 'name' | 'inputs'>>;
  /** Number of inputs; one where absent. */
  readonly inputs?: readonly [least: number, most: number];

  /** Shapes of the output and of the weights. All shapes are without the batch. */
  readonly infer: (
    node: Node,
    inputs: readonly Shape[],
    fail: Fail,
  ) => { readonly output: Shape; readonly weights?: NodeShapes['weights'] };

  /** Runs the node. The output is a value of its own: inputs may be released afterwards. */
  readonly forward: (node: Node, inputs: readonly Value[], context: NodeContext) => Value;

  /** What differs from a node that writes its output and does no more. */
  readonly cost?: (node: Node, inputs: readonly Shape[], shapes: NodeShapes) => Partial<NodeCost>;

  /** Where the inputs' channels go. */
  readonly follow: (
    node: Node,
    inputs: readonly Layout[],
    flow: ChannelFlow,
    shapes: NodeFlowShapes,
  ) => NodeChannels<Node>;
}

/** Shapes of one node, as `follow` may need them. */
export interface NodeFlowShapes {
  readonly inputs: readonly Shape[];
  readonly output: Shape;
}
