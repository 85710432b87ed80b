import { DaflError } from '../errors.ts';
import { type Axis, type Channel, type FollowedGraph, followChannels, type Layout } from './channel-flow.ts';
import { inferShapes } from './infer-shapes.ts';
import type { Graph, HostTensor, Model, ModelNode } from './model.ts';
import { sizeOf } from '../shape.ts';

/** Ends the inheritance: `rule` says what must hold, `value` what is there. */
type Fail = (rule: string, value: string) => never;

/**
 * A student's first weights, taken from the teacher: of each layer the channels that matter most, by the norm of the
 * filter that makes a channel (behind a batch norm, its scale; of the images, how much it varies over them) times the norm of
 * the weights that read it.
 *
 * Source: magnitude-based channel pruning (Li et al., "Pruning Filters for Efficient ConvNets", ICLR 2017), with the
 * reading weights counted in. Not part of the DAFL paper, whose students start at random.
 *
 * @param student What `shrink` made of the teacher's graph: the same nodes, narrower.
 * @returns The student's graph with its weights; constants for each channel, which stand in the graph, are those of the
 * channels that stayed.
 * @throws {DaflError} `MODEL` if the student's graph is no narrower form of the teacher's.
 */
export function inheritWeights(teacher: Model, student: Graph): Model {
  return inheritChannels(teacher, student).model;
}

/** What a student has of its teacher. */
export interface InheritedModel {
  readonly model: Model;
  /** Of each node: which of the teacher's channels (the last axis) the student's are, in order. */
  readonly channels: ReadonlyMap<string, readonly number[]>;
}

/** Like `inheritWeights`, and says which channels those are. */
export function inheritChannels(teacher: Model, student: Graph): InheritedModel {
  const { graph, weights } = teacher;
  const fail: Fail = (rule, value) => {
    throw new DaflError(
      'MODEL',
      `Cannot inherit weights of '${graph.name}' for '${student.name}' as ${rule}: current value is ${value}`,
    );
  };
  if (student.nodes.length !== graph.nodes.length)
    fail(`the student must have its ${graph.nodes.length} nodes`, String(student.nodes.length));
  graph.nodes.forEach((node, index) => {
    const other = student.nodes[index];
    if (other.name !== node.name || other.kind !== node.kind || other.inputs.join() !== node.inputs.join()) {
      fail(`node ${index} must be '${node.name}' (${node.kind}) of the same inputs`, `'${other.name}' (${other.kind})`);
    }
  });

  const flow = followChannels(graph);
  const sizes = countKept(flow, graph, student, fail);
  const importance = rateChannels(flow, teacher);
  const chosen = flow.pools.flatMap(({ channels }, pool) => {
    const order = [...channels.keys()].sort(
      (left, right) => importance(channels[right]) - importance(channels[left]) || left - right,
    );
    return order.slice(0, sizes[pool]).map((index) => channels[index]);
  });
  const kept = flow.keep(new Set(chosen));
  const positions = (axis: Axis, size: number): number[] =>
    axis === null ? Array.from({ length: size }, (_, index) => index) : kept.positions(axis);

  const inherited = new Map<string, HostTensor>();
  const channels = new Map<string, readonly number[]>();
  const studentShapes = inferShapes(student);
  for (const node of graph.nodes) {
    const { output, weights: specifications } = studentShapes.get(node.name)!;
    channels.set(node.name, positions(flow.nodes.get(node.name)!.output.at(-1) ?? null, output.at(-1) ?? 1));
    for (const [weightName, { shape }] of Object.entries(specifications)) {
      const name = `${node.name}.${weightName}`;
      const weight = weights.get(name)!;
      const blocks = flow.nodes.get(node.name)!.weights![weightName].blocks;
      const cut = cutWeight(
        weight,
        blocks.map((layout) => layout.map((axis, index) => positions(axis, weight.shape[index]))),
      );
      if (cut.shape.join() !== shape.join())
        fail(`weight '${name}' must have shape [${shape.join(', ')}]`, `[${cut.shape.join(', ')}]`);
      inherited.set(name, cut);
    }
  }
  return { model: { graph: withConstants(), weights: inherited }, channels };

  /** The student's graph, where constants of channels that stayed take the place of those that `shrink` took. */
  function withConstants(): Graph {
    const first = flow.keep(new Set(flow.pools.flatMap(({ channels }, pool) => channels.slice(0, sizes[pool]))));
    const nodes = graph.nodes.map((node, index): ModelNode => {
      const resize = flow.nodes.get(node.name)!.resize;
      if (resize === undefined) return student.nodes[index];
      const inherits = resize(kept, fail);
      const isAsShrunken = JSON.stringify(inherits) === JSON.stringify(resize(first, fail));
      return isAsShrunken ? student.nodes[index] : inherits;
    });
    return nodes.every((node, index) => node === student.nodes[index]) ? student : { ...student, nodes };
  }
}

/** One sum of channels: how many of each pool stand along an axis, and how many of them the student has. */
interface WidthEquation {
  readonly node: ModelNode;
  /** Teacher's entries of each pool along the axis, by the pool's index. */
  readonly counts: ReadonlyMap<number, number>;
  readonly width: number;
}

/** How many channels of each pool the student keeps, as the widths of its results and weights tell. */
function countKept(flow: FollowedGraph, graph: Graph, student: Graph, fail: Fail): number[] {
  const poolOf = new Map<Channel, number>();
  flow.pools.forEach(({ channels }, pool) => channels.forEach((channel) => poolOf.set(channel, pool)));
  const shapes = inferShapes(student);
  const equations: WidthEquation[] = [];
  const state = (node: ModelNode, layout: Layout, shape: readonly number[]): void =>
    layout.forEach((axis, index) => {
      if (axis === null) return;
      const counts = new Map<number, number>();
      for (const channel of axis) {
        const pool = poolOf.get(flow.find(channel))!;
        counts.set(pool, (counts.get(pool) ?? 0) + 1);
      }
      equations.push({ node, counts, width: shape[index] });
    });
  for (const node of graph.nodes) {
    const { output, weights } = shapes.get(node.name)!;
    const followed = flow.nodes.get(node.name)!;
    if (output.length !== followed.output.length)
      fail(`node '${node.name}' must have rank ${followed.output.length}`, `[${output.join(', ')}]`);
    state(node, followed.output, output);
    for (const [name, { blocks }] of Object.entries(followed.weights ?? {})) {
      const shape = weights[name]?.shape;
      if (shape === undefined) fail(`node '${node.name}' must have the weight '${name}'`, 'none');
      for (const block of blocks) state(node, block, [...shape.slice(0, -1), shape.at(-1)! / blocks.length]);
    }
  }

  const sizes = flow.pools.map(({ channels, isFixed }) => (isFixed ? channels.length : Number.NaN));
  /** Whether a width told how much is kept of its pools: of one alone, or of several that are `alike`. */
  const settle = (alike: boolean): boolean => {
    let isFound = false;
    for (const { counts, width } of equations) {
      const unknown = [...counts].filter(([pool]) => Number.isNaN(sizes[pool]));
      const kinds = new Set(unknown.map(([pool, count]) => `${count} of ${flow.pools[pool].channels.length}`));
      if (alike ? isFound || kinds.size !== 1 : unknown.length !== 1) continue;
      let left = width;
      let each = 0;
      for (const [pool, count] of counts) {
        const share = count / flow.pools[pool].channels.length;
        if (Number.isNaN(sizes[pool])) each += share;
        else left -= share * sizes[pool];
      }
      for (const [pool] of unknown) sizes[pool] = left / each;
      isFound = true;
    }
    return isFound;
  };
  // Each width with one unknown tells it; others follow. Where none has, pools of one size, as groups are, were narrowed alike.
  while (settle(false) || settle(true));
  for (const { node, counts, width } of equations) {
    let total = 0;
    for (const [pool, count] of counts) {
      const most = flow.pools[pool].channels.length;
      if (!Number.isInteger(sizes[pool]) || sizes[pool] < 1 || sizes[pool] > most)
        fail(`node '${node.name}' (${node.kind}) must keep 1 to ${most} of ${most} channels`, String(sizes[pool]));
      total += (count / most) * sizes[pool];
    }
    if (total !== width) fail(`node '${node.name}' (${node.kind}) must have ${total} channels`, String(width));
  }
  return sizes;
}

/** How much each channel says, tied ones together. */
function rateChannels(flow: FollowedGraph, { graph, weights }: Model): (channel: Channel) => number {
  const made = new Map<Channel, number>();
  const read = new Map<Channel, number>();
  // Behind a normalisation a filter's own size says nothing: the scale is how large its channel becomes.
  const scaled = new Map<Channel, number>();
  const addNorms = (norms: Map<Channel, number>, axis: readonly Channel[], squares: Float64Array): void =>
    axis.forEach((channel, index) => {
      const root = flow.find(channel);
      norms.set(root, (norms.get(root) ?? 0) + squares[index]);
    });
  const isOfPixels = findPixels(graph);
  for (const node of graph.nodes) {
    for (const [name, { blocks, makes, reads, scales }] of Object.entries(flow.nodes.get(node.name)!.weights ?? {})) {
      const weight = weights.get(`${node.name}.${name}`)!;
      const width = weight.shape.at(-1)! / blocks.length;
      blocks.forEach((block, index) => {
        const along = (axis: number) => squaredNorms(weight, axis, index * width, width);
        if (scales === true && block[0] !== null) addNorms(scaled, block[0], along(0));
        const [makesAxis, readsAxis] = [makes, reads].map((axis) => (axis === undefined ? null : block[axis]));
        const isFirst = node.kind === 'conv2d' && node.groups === 1 && isOfPixels(node.inputs[0]) && name === 'kernel';
        if (makesAxis !== null) addNorms(made, makesAxis, isFirst ? variancesOnImages(weight) : along(makes!));
        if (readsAxis !== null) addNorms(read, readsAxis, along(reads!));
      });
    }
  }
  return (channel) => Math.sqrt(scaled.get(channel) ?? made.get(channel) ?? 1) * Math.sqrt(read.get(channel) ?? 1);
}

/** Tells which nodes give the pixels of the images still, though these are scaled or stand within a border. */
function findPixels({ nodes }: Graph): (name: string) => boolean {
  const pixels = new Set(['input']);
  for (const { name, kind, inputs } of nodes) {
    if ((kind === 'affine' || kind === 'pad2d') && pixels.has(inputs[0])) pixels.add(name);
  }
  return (name) => pixels.has(name);
}

/** Correlation of neighbouring pixels of an image, and of two channels of a pixel. */
const PIXEL_CORRELATION = 0.95;
const CHANNEL_CORRELATION = 0.95;

/**
 * How much what a filter gives varies over images, whose pixels are much like their neighbours: a filter of fine detail
 * has large weights and says little.
 *
 * @param kernel Shape `[height, width, channels, filters]`.
 */
function variancesOnImages({ shape, data }: HostTensor): Float64Array {
  const [height, width, channels, filters] = shape;
  const sums = new Float64Array(filters);
  const size = height * width * channels;
  for (let left = 0; left < size; left++) {
    for (let right = 0; right <= left; right++) {
      const [from, to] = [Math.floor(left / channels), Math.floor(right / channels)];
      const rows = Math.floor(from / width) - Math.floor(to / width);
      const distance = Math.hypot(rows, (from % width) - (to % width));
      const alike = PIXEL_CORRELATION ** distance * ((left - right) % channels === 0 ? 1 : CHANNEL_CORRELATION);
      const factor = left === right ? 1 : 2 * alike;
      for (let filter = 0; filter < filters; filter++)
        sums[filter] += factor * data[left * filters + filter] * data[right * filters + filter];
    }
  }
  return sums;
}

/** Sums of squares for each entry of an axis, over the columns `begin` to `begin + width` of the last axis. */
function squaredNorms({ shape, data }: HostTensor, axis: number, begin: number, width: number): Float64Array {
  const last = shape.at(-1)!;
  const isLast = axis === shape.length - 1;
  const stride = sizeOf(shape.slice(axis + 1));
  const sums = new Float64Array(isLast ? width : shape[axis]);
  for (let position = 0; position < data.length; position++) {
    const column = position % last;
    if (column < begin || column >= begin + width) continue;
    sums[isLast ? column - begin : Math.floor(position / stride) % shape[axis]] += data[position] * data[position];
  }
  return sums;
}

/** @param blocks Of each block along the last axis, the positions that stay along each axis (within the block). */
function cutWeight(weight: HostTensor, blocks: readonly (readonly number[][])[]): HostTensor {
  const rank = weight.shape.length;
  const blockWidth = weight.shape[rank - 1] / blocks.length;
  const counts = blocks[0].map((positions) => positions.length);
  const columns = counts[rank - 1];
  const shape = [...counts.slice(0, -1), columns * blocks.length];
  const strides = weight.shape.map((_, axis) => sizeOf(weight.shape.slice(axis + 1)));
  const rows = sizeOf(counts.slice(0, -1));
  const data = new Float32Array(rows * columns * blocks.length);
  blocks.forEach((positions, block) => {
    for (let row = 0; row < rows; row++) {
      let start = block * blockWidth;
      let rest = row;
      for (let axis = rank - 2; axis >= 0; axis--) {
        start += positions[axis][rest % counts[axis]] * strides[axis];
        rest = Math.floor(rest / counts[axis]);
      }
      const target = (row * blocks.length + block) * columns;
      for (let column = 0; column < columns; column++)
        data[target + column] = weight.data[start + positions[rank - 1][column]];
    }
  });
  return { shape, data };
}
