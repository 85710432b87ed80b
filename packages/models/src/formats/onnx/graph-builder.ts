import type { HostTensor, ModelNode } from '@dafl/core';
import { type Constant, transposeConstant } from './constant.ts';
import { UnsupportedError } from './unsupported-error.ts';

/**
 * What a node of the built graph gives, as ONNX sees it when one example is put in: its batch is an axis of size 1 like
 * any other, wherever operators move it.
 */
export interface Activation {
  /** Name of the node, or `'input'`. */
  readonly node: string;
  /** All axes in ONNX's order. */
  readonly shape: readonly number[];
  /** Which of ONNX's axes each of the node's axes is: `[2, 3, 1]` is NHWC for NCHW. Those that are missing have size 1. */
  readonly order: readonly number[];
  /** Whether it is what QuantizeLinear makes, which is not computed: only DequantizeLinear may read it. */
  readonly isQuantized?: boolean;
  /** Whether that was done by a scale of its own, which is 1 here: integers are computed with as they are. */
  readonly isUnscaled?: boolean;
}

/** What a tensor of the file is found to be. */
export type TraceValue = Constant | Activation;

const stackable = new WeakSet<Activation>();

/** The same value, with a first axis that was put before its batch. */
export function markAsStackable(value: Activation): Activation {
  const marked = { ...value };
  stackable.add(marked);
  return marked;
}

/** Whether the first axis of a value was put before its batch: values can be joined along it. */
export function isStackable(value: Activation): boolean {
  return stackable.has(value);
}

export function isActivation(value: TraceValue | undefined): value is Activation {
  return value !== undefined && 'node' in value;
}

type FieldsOf<Node> = Node extends ModelNode ? Omit<Node, 'name' | 'inputs'> : never;

/** A node without its name and inputs. */
export type NodeFields = FieldsOf<ModelNode>;

/** Weights by name in their node: `kernel`. */
export type NodeWeights = Readonly<Record<string, HostTensor>>;

/** The order in which activations of a shape lie: channels last for maps, as they are otherwise. */
export function usualOrder(shape: readonly number[]): number[] {
  if (shape.length === 4 && shape[0] === 1) return [2, 3, 1];
  const axes = shape.map((_, axis) => axis).slice(shape[0] === 1 && shape.length > 1 ? 1 : 0);
  return axes.length <= HIGHEST_RANK ? axes : wideAxes(axes, shape);
}

/** The order of shapes whose channels are last already. */
export function sameOrder(shape: readonly number[]): number[] {
  const axes = shape.map((_, axis) => axis).slice(shape[0] === 1 && shape.length > 1 ? 1 : 0);
  return axes.length <= HIGHEST_RANK ? axes : wideAxes(axes, shape);
}

/** Most axes of a node's example. */
const HIGHEST_RANK = 5;

/** Those axes whose size is not 1. */
export function wideAxes(axes: readonly number[], shape: readonly number[]): number[] {
  return axes.filter((axis) => shape[axis] !== 1);
}

/** Sizes of a node whose axes are `order`. */
export function sizesOf(order: readonly number[], shape: readonly number[]): number[] {
  return order.length === 0 ? [1] : order.map((axis) => shape[axis]);
}

/** A float that is far from all that networks compute with, and is itself no end of what floats can be. */
export const FAR: number = 2 ** 120;

/** Collects the nodes and weights of the graph that an ONNX file is turned into. */
export class GraphBuilder {
  readonly nodes: ModelNode[] = [];
  readonly #byName = new Map<string, ModelNode>();
  readonly weights: Map<string, HostTensor> = new Map();
  /** What was left out or assumed, in sentences. */
  readonly notes: Set<string> = new Set();
  /** Size of the first axis where the file fixes it: it is taken as 1. */
  readonly batch: number;
  /** Whether the file leaves the size of the batch open. */
  readonly isBatchFree: boolean;
  /** Whether the first axis of the input is a batch. */
  readonly hasBatch: boolean;
  /** By node, what a reshape made and of what. */
  readonly #reshapes = new Map<string, { readonly made: Activation; readonly from: Activation }>();
  /** How many nodes asked for each name. */
  readonly #names = new Map([['input', 1]]);

  /** In which order activations of a shape lie where nothing else says so. */
  readonly usualOrder: (shape: readonly number[]) => number[];

  /**
   * @param batch Size of the input's first axis, where the file fixes it.
   * @param usual In which order activations lie; absent: channels last where the file has them first.
   */
  constructor(batch?: number, hasBatch = true, usual: (shape: readonly number[]) => number[] = usualOrder) {
    this.usualOrder = usual;
    this.batch = batch ?? 1;
    this.isBatchFree = batch === undefined;
    this.hasBatch = hasBatch;
  }

  /**
   * Adds a node.
   *
   * @param name What it is called in the file; the node's name is made from it.
   * @returns The node's name.
   */
  add(name: string, fields: NodeFields, inputs: readonly string[], weights: NodeWeights = {}): string {
    const base =
      name
        .replaceAll(/[^\w./-]+/g, '_')
        .replace(/^[/_.]+/, '')
        .slice(0, 100) || fields.kind;
    let unique = base;
    for (let count = this.#names.get(base) ?? 0; count > 0;) {
      count++;
      this.#names.set(base, count);
      unique = `${base}_${count}`;
      if (!this.#names.has(unique)) break;
    }
    this.#names.set(unique, 1);
    const node: ModelNode = { ...fields, name: unique, inputs };
    this.nodes.push(node);
    this.#byName.set(unique, node);
    for (const [weight, tensor] of Object.entries(weights)) this.weights.set(`${unique}.${weight}`, tensor);
    return unique;
  }

  /** A node that was added; undefined for the input. */
  find(name: string): ModelNode | undefined {
    return this.#byName.get(name);
  }

  /** Adds a reshape of `arranged`, which is `from` with its axes in the order that it needs. */
  reshape(
    name: string,
    from: Activation,
    arranged: Activation,
    { shape, order }: Pick<Activation, 'shape' | 'order'>,
  ): Activation {
    const node = this.add(name, { kind: 'reshape', shape: sizesOf(order, shape) }, [arranged.node]);
    const made: Activation = { node, shape, order };
    this.#reshapes.set(node, { made, from });
    return made;
  }

  /** What a reshape made a value of; undefined where none did. */
  beforeReshape(value: Activation): Activation | undefined {
    const known = this.#reshapes.get(value.node);
    // A view of the same node with its axes named otherwise is another value.
    const isMade = known?.made.shape.join() === value.shape.join() && known.made.order.join() === value.order.join();
    return isMade ? known.from : undefined;
  }

  /** Adds a node that changes neither shape nor order. */
  map(name: string, input: Activation, fields: NodeFields, weights: NodeWeights = {}): Activation {
    return { ...input, node: this.add(name, fields, [input.node], weights) };
  }

  /** The same values with their axes in another order, which names all of a size other than 1. */
  arrange(name: string, value: Activation, order: readonly number[]): Activation {
    const { shape } = value;
    if (value.order.length === order.length && value.order.every((axis, index) => axis === order[index])) return value;
    if (Math.max(order.length, value.order.length) > HIGHEST_RANK)
      throw new UnsupportedError(`it reads a tensor of more than ${HIGHEST_RANK} axes`);
    const [from, to] = [wideAxes(value.order, shape), wideAxes(order, shape)];
    let { node } = value;
    let current: readonly number[] = value.order;
    if (!from.every((axis, index) => axis === to[index])) {
      const rest = value.order.filter((axis) => !order.includes(axis));
      current = [...order.filter((axis) => value.order.includes(axis)), ...rest];
      const permutation = current.map((axis) => value.order.indexOf(axis));
      node = this.add(name, { kind: 'transpose', permutation }, [node]);
    }
    if (current.length !== order.length || current.some((axis, index) => axis !== order[index]))
      node = this.add(name, { kind: 'reshape', shape: sizesOf(order, shape) }, [node]);
    return { node, shape, order };
  }

  /** A constant as a node, with its axes in the order `order`, which names all of a size other than 1. */
  constant(
    name: string,
    constant: Constant,
    order: readonly number[] = this.usualOrder(constant.shape),
    trainable = true,
  ): Activation {
    const { shape } = constant;
    if (order.length > HIGHEST_RANK)
      throw new UnsupportedError(`it reads a constant of more than ${HIGHEST_RANK} axes`);
    const rest = shape.map((_, axis) => axis).filter((axis) => !order.includes(axis));
    const { values } = transposeConstant(constant, [...rest, ...order]);
    const sizes = sizesOf(order, shape);
    // Masks of attention are infinite: what stands for that has a slope.
    const value = { shape: sizes, data: Float32Array.from(values, (entry) => Math.min(FAR, Math.max(-FAR, entry))) };
    return { shape, order, node: this.add(name, { kind: 'constant', shape: sizes, trainable }, [], { value }) };
  }
}
