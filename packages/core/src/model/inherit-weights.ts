import { DaflError } from '../errors.ts';
import { inferShapes } from './infer-shapes.ts';
import type { Graph, HostTensor, Model, ModelNode } from './model.ts';

/** One channel of a value in the teacher: which group of tied channels it belongs to, and its place there. */
interface ChannelReference {
  readonly group: number;
  readonly index: number;
}

/** Channels that must be kept or dropped together: those of one layer, or of all layers that meet in a sum. */
interface ChannelGroup {
  /** How much each channel says: filter norms, in times out. */
  readonly importance: Float64Array;
  /** How many of them the student keeps. */
  keep: number;
}

/**
 * A student's first weights, taken from the teacher: of each layer the channels that matter most, by the norm of the
 * filter that makes a channel (behind a batch norm, its scale) times the norm of the weights that read it.
 *
 * Source: magnitude-based channel pruning (Li et al., "Pruning Filters for Efficient ConvNets", ICLR 2017), with the
 * reading weights counted in. Not part of the DAFL paper, whose students start at random.
 *
 * @param student What `shrink` made of the teacher's graph: the same nodes, narrower.
 * @throws {DaflError} `MODEL` if the student's graph is no narrower form of the teacher's, or if the graph has nodes
 * whose channels can't be followed (grouped convolutions that are not depthwise, free reshapes).
 */
export function inheritWeights(teacher: Model, student: Graph): Model {
  const { graph, weights } = teacher;
  const fail = (rule: string, value: string): never => {
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

  const teacherShapes = inferShapes(graph);
  const studentShapes = inferShapes(student);
  const groups: ChannelGroup[] = [];
  const parents: number[] = [];
  const find = (group: number): number => (parents[group] === group ? group : find(parents[group]));
  const addGroup = (size: number, keep: number): ChannelReference[] => {
    parents.push(groups.length);
    groups.push({ importance: new Float64Array(size), keep });
    return Array.from({ length: size }, (_, index) => ({ group: groups.length - 1, index }));
  };
  const widthOf = (shape: readonly number[]): number => shape[shape.length - 1];

  // First walk: which channels each node reads and gives, and how much each group's channels matter.
  const channels = new Map<string, readonly ChannelReference[]>([
    ['input', addGroup(widthOf(graph.inputShape), widthOf(student.inputShape))],
  ]);
  const makers = new Map<string, readonly ChannelReference[]>();
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => channels.get(name)!);
    const shape = teacherShapes.get(node.name)!.output;
    channels.set(node.name, follow(node, inputs, shape));
  }
  const made = new Map<number, Float64Array>();
  const read = new Map<number, Float64Array>();
  const addNorms = (
    norms: Map<number, Float64Array>,
    references: readonly ChannelReference[],
    squares: Float64Array,
  ): void => {
    references.forEach(({ group, index }, position) => {
      const root = find(group);
      const sums = norms.get(root) ?? new Float64Array(groups[root].importance.length);
      sums[index] += squares[position];
      norms.set(root, sums);
    });
  };
  // Behind a batch norm a filter's own size says nothing: the scale is how large its channel becomes.
  const scaled = new Map<number, Float64Array>();
  for (const node of graph.nodes) {
    const scale = weights.get(`${node.name}.scale`);
    if (scale !== undefined) {
      const squares = Float64Array.from(scale.data, (value) => value * value);
      addNorms(scaled, channels.get(node.inputs[0])!, squares);
    }
    const kernel = weights.get(`${node.name}.kernel`);
    if (kernel === undefined) continue;
    const { outgoing, incoming } = squaredNorms(kernel);
    addNorms(made, makers.get(node.name)!, outgoing);
    if (!isDepthwise(node)) addNorms(read, channels.get(node.inputs[0])!, incoming);
  }
  const kept = new Map<number, ReadonlyMap<number, number>>();
  groups.forEach(({ importance, keep }, group) => {
    if (find(group) !== group) return;
    const makes = scaled.get(group) ?? made.get(group);
    const reads = read.get(group);
    importance.forEach((_, index) => {
      importance[index] = Math.sqrt(makes?.[index] ?? 1) * Math.sqrt(reads?.[index] ?? 1);
    });
    const order = Array.from(importance.keys()).sort(
      (left, right) => importance[right] - importance[left] || left - right,
    );
    const chosen = order.slice(0, keep).sort((left, right) => left - right);
    kept.set(group, new Map(chosen.map((index, position) => [index, position])));
  });
  /** Positions of the channels that stay, in their order. */
  const staying = (references: readonly ChannelReference[]): number[] =>
    references.flatMap(({ group, index }, position) => (kept.get(find(group))!.has(index) ? [position] : []));

  // Second walk: cut the weights.
  const inherited = new Map<string, HostTensor>();
  for (const node of graph.nodes) {
    const specifications = studentShapes.get(node.name)!.weights;
    for (const [weightName, { shape }] of Object.entries(specifications)) {
      const name = `${node.name}.${weightName}`;
      const outputs = staying(makers.get(node.name) ?? channels.get(node.name)!);
      const inputs = weightName === 'kernel' && !isDepthwise(node) ? staying(channels.get(node.inputs[0])!) : null;
      const cut = cutWeight(weights.get(name)!, inputs, outputs);
      if (cut.shape.join() !== shape.join())
        fail(`weight '${name}' must have shape [${shape.join(', ')}]`, `[${cut.shape.join(', ')}]`);
      inherited.set(name, cut);
    }
  }
  return { graph: student, weights: inherited };

  function isDepthwise(node: ModelNode): boolean {
    return node.kind === 'conv2d' && node.groups > 1;
  }

  function follow(
    node: ModelNode,
    inputs: readonly (readonly ChannelReference[])[],
    shape: readonly number[],
  ): readonly ChannelReference[] {
    const [input] = inputs;
    const studentWidth = widthOf(studentShapes.get(node.name)!.output);
    switch (node.kind) {
      case 'conv2d':
        if (node.groups > 1) {
          if (node.groups !== input.length || node.filters !== node.groups) {
            fail(`node '${node.name}' must be an ordinary or a depthwise convolution`, `${node.groups} groups`);
          }
          makers.set(node.name, input);
          return input;
        }
        makers.set(node.name, addGroup(node.filters, studentWidth));
        return makers.get(node.name)!;
      case 'dense':
        makers.set(node.name, addGroup(node.units, studentWidth));
        return makers.get(node.name)!;
      case 'add':
      case 'multiply':
        for (const other of inputs.slice(1)) tie(node, input, other);
        return inputs.find((references) => references.length === widthOf(shape)) ?? input;
      case 'concat':
        return inputs.flat();
      case 'flatten': {
        // Each position repeats the channels, in the order in which they are laid out.
        const positions = widthOf(shape) / input.length;
        return node.order === 'hwc'
          ? Array.from({ length: positions }, () => input).flat()
          : input.flatMap((reference) => Array<ChannelReference>(positions).fill(reference));
      }
      case 'reshape':
        if (widthOf(node.shape) !== input.length)
          fail(`node '${node.name}' (reshape) must keep the channels`, `[${node.shape.join(', ')}]`);
        return input;
      default:
        return input;
    }
  }

  /** Makes two values' channels share their fate, place by place. */
  function tie(node: ModelNode, left: readonly ChannelReference[], right: readonly ChannelReference[]): void {
    if (left.length !== right.length) {
      if (left.length === 1 || right.length === 1) return;
      fail(`node '${node.name}' (${node.kind}) must read equal widths`, `${left.length} and ${right.length}`);
    }
    left.forEach((reference, position) => {
      const other = right[position];
      if (reference.index !== other.index)
        fail(
          `node '${node.name}' (${node.kind}) must join channels in the same order`,
          `${reference.index} and ${other.index}`,
        );
      const [a, b] = [find(reference.group), find(other.group)];
      if (a !== b) parents[b] = a;
    });
  }
}

/** Sums of squares of a kernel `[..., inputs, outputs]` for each output and for each input. */
function squaredNorms(kernel: HostTensor): { outgoing: Float64Array; incoming: Float64Array } {
  const outputs = kernel.shape[kernel.shape.length - 1];
  const inputs = kernel.shape[kernel.shape.length - 2];
  const outgoing = new Float64Array(outputs);
  const incoming = new Float64Array(inputs);
  kernel.data.forEach((value, position) => {
    outgoing[position % outputs] += value * value;
    incoming[Math.floor(position / outputs) % inputs] += value * value;
  });
  return { outgoing, incoming };
}

/** The given inputs (second to last axis; null for all) and outputs (last axis) of a weight. */
function cutWeight(weight: HostTensor, inputs: readonly number[] | null, outputs: readonly number[]): HostTensor {
  const rank = weight.shape.length;
  const width = weight.shape[rank - 1];
  const depth = rank > 1 ? weight.shape[rank - 2] : 1;
  const rows = inputs ?? Array.from({ length: depth }, (_, index) => index);
  const blocks = weight.data.length / (width * depth);
  const data = new Float32Array(blocks * rows.length * outputs.length);
  let position = 0;
  for (let block = 0; block < blocks; block++) {
    for (const row of rows) {
      for (const output of outputs) data[position++] = weight.data[(block * depth + row) * width + output];
    }
  }
  const shape = rank > 1 ? [...weight.shape.slice(0, -2), rows.length, outputs.length] : [outputs.length];
  return { shape, data };
}
