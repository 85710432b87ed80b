import type { HostTensor, ModelNode } from '@dafl/core';
import { type Constant, sizeOf } from './constant.ts';
import { UnsupportedError } from './unsupported-error.ts';

/** What a node of the built graph gives, as ONNX sees it. */
export interface Activation {
  /** Name of the node, or `'input'`. */
  readonly node: string;
  /** All axes in ONNX's order, the batch first. */
  readonly shape: readonly number[];
  /** Which of ONNX's axes each of the node's axes (without the batch) is: `[2, 3, 1]` is NHWC for NCHW. */
  readonly order: readonly number[];
}

/** What a tensor of the file is found to be. */
export type TraceValue = Constant | Activation;

export function isActivation(value: TraceValue | undefined): value is Activation {
  return value !== undefined && 'node' in value;
}

type FieldsOf<Node> = Node extends ModelNode ? Omit<Node, 'name' | 'inputs'> : never;

/** A node without its name and inputs. */
export type NodeFields = FieldsOf<ModelNode>;

/** Weights by name in their node: `kernel`. */
export type NodeWeights = Readonly<Record<string, HostTensor>>;

/** The order in which activations of a rank lie: channels last for maps and rows of columns, as they are otherwise. */
export function usualOrder(rank: number): number[] {
  const axes = Array.from({ length: rank - 1 }, (_, index) => index + 1);
  return rank === 4 ? [2, 3, 1] : axes;
}

/** Collects the nodes and weights of the graph that an ONNX file is turned into. */
export class GraphBuilder {
  readonly nodes: ModelNode[] = [];
  readonly weights: Map<string, HostTensor> = new Map();
  /** How many nodes asked for each name. */
  readonly #names = new Map([['input', 1]]);

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
    this.nodes.push({ ...fields, name: unique, inputs });
    for (const [weight, tensor] of Object.entries(weights)) this.weights.set(`${unique}.${weight}`, tensor);
    return unique;
  }

  /** Adds a node that changes neither shape nor order. */
  map(name: string, input: Activation, fields: NodeFields, weights: NodeWeights = {}): Activation {
    return { ...input, node: this.add(name, fields, [input.node], weights) };
  }

  /** The same values with their axes in another order; adds nodes only where elements really move. */
  arrange(name: string, value: Activation, order: readonly number[]): Activation {
    const { shape } = value;
    if (value.order.every((axis, index) => axis === order[index])) return value;
    const wide = (axes: readonly number[]) => axes.filter((axis) => shape[axis] !== 1);
    const [from, to] = [wide(value.order), wide(order)];
    const goal = order.map((axis) => shape[axis]);
    let node = value.node;
    if (!from.every((axis, index) => axis === to[index])) {
      // Any cyclic change of order is the transposition of a matrix, which flattening by channels is.
      const turn = from.indexOf(to[0]);
      const turned = [...from.slice(turn), ...from.slice(0, turn)];
      if (!turned.every((axis, index) => axis === to[index])) return this.#transpose(name, value, order);
      const rows = sizeOf(from.slice(0, turn).map((axis) => shape[axis]));
      const columns = sizeOf(from.slice(turn).map((axis) => shape[axis]));
      node = this.add(name, { kind: 'reshape', shape: [rows, 1, columns] }, [node]);
      node = this.add(name, { kind: 'flatten', order: 'chw' }, [node]);
    }
    return { node: this.add(name, { kind: 'reshape', shape: goal }, [node]), shape, order };
  }

  #transpose(name: string, value: Activation, order: readonly number[]): Activation {
    // Two turns make any order of three axes out of what lies side by side; others are not met in classifiers.
    throw new UnsupportedError(
      `its axes can't be brought from [${value.order.join(', ')}] to [${order.join(', ')}] (${name})`,
    );
  }
}
