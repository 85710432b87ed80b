import { inferShapes } from './infer-shapes.ts';
import type { Graph, ModelNode } from './model.ts';
import type { Fail, NodeBase } from './node-kind.ts';
import { kindOf } from './node-kinds.ts';

/** One channel of one layer; tied channels stay or go together. */
export type Channel = number;

/** The channels along one axis of a value; null where the axis has none (height, width) and keeps its size. */
export type Axis = readonly Channel[] | null;

/** Each axis of a value of one example, without the batch. */
export type Layout = readonly Axis[];

/** How a weight's axes belong to channels. */
export interface WeightChannels {
  /** Blocks of equal size that follow one another along the last axis, each with its axes; most weights are one block. */
  readonly blocks: readonly Layout[];
  /** The axis of the channels that the weight makes: its norms tell how large they are. */
  readonly makes?: number;
  /** The axis of the channels that the weight reads: its norms tell how much they matter. */
  readonly reads?: number;
  /** Whether the weight is the scale behind a normalisation: then it, not the filter, says how large a channel is. */
  readonly scales?: boolean;
}

/** Which channels stay. */
export interface KeptChannels {
  /** Indices of those along an axis that stay, ascending. */
  positions(axis: readonly Channel[]): number[];
}

/** Where a node's channels come from and go to. */
export interface NodeChannels<Node extends NodeBase = ModelNode> {
  readonly output: Layout;
  readonly weights?: Readonly<Record<string, WeightChannels>>;
  /** The node with the channels that stay; absent where its fields don't change. */
  readonly resize?: (kept: KeptChannels, fail: Fail) => Node;
}

/** Channels that are alike: any of them may be left out for any other. */
export interface ChannelPool {
  /** One of each set of tied channels. */
  readonly channels: readonly Channel[];
  /** Whether all must stay: those of the input and of the logits. */
  readonly isFixed: boolean;
}

/** Keeps account of which channels must share their fate, while a graph is followed. */
export class ChannelFlow {
  readonly #parents: Channel[] = [];
  readonly #labels: string[] = [];
  readonly #marks = new Map<Channel, string[]>();
  readonly #fixed = new Set<Channel>();

  /** New channels. `label` is theirs alone: those of different layers are never alike. */
  make(size: number, label: string): Channel[] {
    return Array.from({ length: size }, () => {
      this.#labels.push(label);
      this.#parents.push(this.#parents.length);
      return this.#parents.length - 1;
    });
  }

  /** Makes two channels share their fate. */
  tie(left: Channel, right: Channel): void {
    const [a, b] = [this.find(left), this.find(right)];
    // The older stands for both, so that pools list channels in the graph's order.
    if (a !== b) this.#parents[Math.max(a, b)] = Math.min(a, b);
  }

  /** Ties two axes of equal size, entry by entry; where one has no channels, all of the other's stay. */
  tieAxes(left: Axis, right: Axis): Axis {
    if (left === null || right === null) {
      this.fix(left);
      this.fix(right);
      return null;
    }
    left.forEach((channel, index) => this.tie(channel, right[index]));
    return left;
  }

  /** Makes channels differ from those without this mark: their number must follow from the widths alone. */
  mark(axis: Axis, label: string): void {
    for (const channel of new Set(axis)) {
      const marks = this.#marks.get(channel);
      if (marks === undefined) this.#marks.set(channel, [label]);
      else marks.push(label);
    }
  }

  /** All of these stay. */
  fix(axis: Axis): void {
    for (const channel of axis ?? []) this.#fixed.add(channel);
  }

  /** The channel that stands for all that are tied to this one. */
  find(channel: Channel): Channel {
    let root = channel;
    while (this.#parents[root] !== root) root = this.#parents[root];
    this.#parents[channel] = root;
    return root;
  }

  /** The channels that are alike, by what they are made of and marked with. */
  pools(): ChannelPool[] {
    const parts = new Map<Channel, string[]>();
    const fixed = new Set([...this.#fixed].map((channel) => this.find(channel)));
    this.#labels.forEach((label, channel) => {
      const root = this.find(channel);
      const known = parts.get(root) ?? [];
      known.push(label, ...(this.#marks.get(channel) ?? []));
      parts.set(root, known);
    });
    const pools = new Map<string, Channel[]>();
    for (const [root, labels] of parts) {
      const signature = `${fixed.has(root)} ${labels.sort().join(' ')}`;
      const pool = pools.get(signature);
      if (pool === undefined) pools.set(signature, [root]);
      else pool.push(root);
    }
    return [...pools.values()].map((channels) => ({ channels, isFixed: fixed.has(channels[0]) }));
  }
}

/** A graph's channels: where each node's come from, and which are alike. */
export interface FollowedGraph {
  readonly nodes: ReadonlyMap<string, NodeChannels>;
  readonly pools: readonly ChannelPool[];
  /** The channel that stands for all that are tied to this one; the one that pools list. */
  find(channel: Channel): Channel;
  /** Those of `chosen` (as pools list them) and all that are tied to them. */
  keep(chosen: ReadonlySet<Channel>): KeptChannels;
}

/**
 * Follows the channels of every layer through the graph: sums tie those that meet, flattenings repeat them, groups keep
 * them apart. What can't be followed keeps its width.
 *
 * @throws {DaflError} `MODEL` if the graph is not sound.
 */
export function followChannels(graph: Graph): FollowedGraph {
  const shapes = inferShapes(graph);
  const flow = new ChannelFlow();
  const images = graph.inputShape.map((size, axis) =>
    axis === graph.inputShape.length - 1 ? flow.make(size, 'input') : null,
  );
  images.forEach((axis) => flow.fix(axis));
  const layouts = new Map<string, Layout>([['input', images]]);
  const nodes = new Map<string, NodeChannels>();
  for (const node of graph.nodes) {
    const followed = kindOf(node).follow(
      node,
      node.inputs.map((name) => layouts.get(name)!),
      flow,
      {
        inputs: node.inputs.map((name) => shapes.get(name)?.output ?? graph.inputShape),
        output: shapes.get(node.name)!.output,
      },
    );
    nodes.set(node.name, followed);
    layouts.set(node.name, followed.output);
  }
  // What others read of the network: classes, or the colours of pictures.
  for (const role of ['logits', 'images']) layouts.get(graph.outputs[role])?.forEach((axis) => flow.fix(axis));
  return {
    nodes,
    pools: flow.pools(),
    find: (channel) => flow.find(channel),
    keep: (chosen) => ({
      positions: (axis) => axis.flatMap((channel, index) => (chosen.has(flow.find(channel)) ? [index] : [])),
    }),
  };
}
