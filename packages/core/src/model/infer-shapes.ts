import { DaflError } from '../errors.ts';
import type { Padding2d, Size2d } from '../backend.ts';
import type { Graph, ModelNode } from './model.ts';

/** Shape of one weight and whether optimizers train it. */
export interface WeightSpecification {
  readonly shape: readonly number[];
  readonly trainable: boolean;
}

/** What a node gives and needs. All shapes are of one example, without the batch. */
export interface NodeShapes {
  readonly output: readonly number[];
  readonly weights: Readonly<Record<string, WeightSpecification>>;
}

function product(shape: readonly number[]): number {
  return shape.reduce((total, size) => total * size, 1);
}

/** Output size of a window that slides along one axis. */
export function slideSize(
  size: number,
  before: number,
  after: number,
  window: number,
  stride: number,
  dilation = 1,
): number {
  return Math.floor((size + before + after - dilation * (window - 1) - 1) / stride) + 1;
}

function slide(
  shape: readonly number[],
  windowSize: Size2d,
  strides: Size2d,
  padding: Padding2d,
  dilations: Size2d = [1, 1],
): [number, number] {
  return [
    slideSize(shape[0], padding.top, padding.bottom, windowSize[0], strides[0], dilations[0]),
    slideSize(shape[1], padding.left, padding.right, windowSize[1], strides[1], dilations[1]),
  ];
}

function broadcast(left: readonly number[], right: readonly number[]): number[] | null {
  const rank = Math.max(left.length, right.length);
  const output: number[] = [];
  for (let back = rank; back >= 1; back--) {
    const a = left[left.length - back] ?? 1;
    const b = right[right.length - back] ?? 1;
    if (a !== b && a !== 1 && b !== 1) return null;
    output.push(Math.max(a, b));
  }
  return output;
}

/**
 * Shapes of every node's output and weights, in the graph's order; checks the whole graph on the way.
 *
 * @throws {DaflError} `MODEL` if a node reads what is not there, shapes do not fit, or an option is out of range.
 */
export function inferShapes(graph: Graph): Map<string, NodeShapes> {
  const known = new Map<string, readonly number[]>([['input', graph.inputShape]]);
  const shapes = new Map<string, NodeShapes>();
  const fail = (node: ModelNode, rule: string, value: string): never => {
    throw new DaflError(
      'MODEL',
      `Cannot use model '${graph.name}' as node '${node.name}' (${node.kind}) must ${rule}: current value is ${value}`,
    );
  };
  for (const node of graph.nodes) {
    if (known.has(node.name)) fail(node, 'have a name of its own', `'${node.name}'`);
    const inputs = node.inputs.map(
      (name) => known.get(name) ?? fail(node, 'read nodes that stand before it', `'${name}'`),
    );
    const found = nodeShapes(node, inputs, fail);
    if (found.output.some((size) => !Number.isInteger(size) || size < 1))
      fail(node, 'give sizes >= 1', `[${found.output.join(', ')}]`);
    known.set(node.name, found.output);
    shapes.set(node.name, found);
  }
  for (const [role, name] of Object.entries(graph.outputs)) {
    if (!known.has(name)) {
      throw new DaflError(
        'MODEL',
        `Cannot use model '${graph.name}' as output '${role}' must name a node: current value is '${name}'`,
      );
    }
  }
  return shapes;
}

function nodeShapes(
  node: ModelNode,
  inputs: readonly (readonly number[])[],
  fail: (node: ModelNode, rule: string, value: string) => never,
): NodeShapes {
  const isVariadic = node.kind === 'add' || node.kind === 'multiply' || node.kind === 'concat';
  if (isVariadic ? inputs.length < 1 : inputs.length !== 1) {
    fail(node, isVariadic ? 'have at least one input' : 'have one input', String(inputs.length));
  }
  const [input] = inputs;
  const shown = `[${input.join(', ')}]`;
  const requireImage = () => {
    if (input.length !== 3) fail(node, 'read [height, width, channels]', shown);
  };
  const none = {};
  switch (node.kind) {
    case 'conv2d': {
      requireImage();
      const [, , channels] = input;
      if (channels % node.groups !== 0 || node.filters % node.groups !== 0) {
        fail(node, `divide its channels into ${node.groups} groups`, `${channels} -> ${node.filters}`);
      }
      const kernel = { shape: [...node.kernelSize, channels / node.groups, node.filters], trainable: true };
      return {
        output: [...slide(input, node.kernelSize, node.strides, node.padding, node.dilations), node.filters],
        weights: node.useBias ? { kernel, bias: { shape: [node.filters], trainable: true } } : { kernel },
      };
    }
    case 'dense': {
      if (input.length !== 1) fail(node, 'read one row an example (flatten first)', shown);
      const kernel = { shape: [input[0], node.units], trainable: true };
      return {
        output: [node.units],
        weights: node.useBias ? { kernel, bias: { shape: [node.units], trainable: true } } : { kernel },
      };
    }
    case 'batchNorm': {
      const shape = [input[input.length - 1]];
      const running = { runningMean: { shape, trainable: false }, runningVariance: { shape, trainable: false } };
      return {
        output: input,
        weights: node.affine
          ? { scale: { shape, trainable: true }, offset: { shape, trainable: true }, ...running }
          : running,
      };
    }
    case 'activation':
      if (node.function === 'softmax' && input.length !== 1) fail(node, 'read one row an example for softmax', shown);
      return { output: input, weights: none };
    case 'affine': {
      const width = input[input.length - 1];
      for (const constants of [node.factor, node.summand]) {
        const fits = (constants.length === 1 || constants.length === width) && constants.every(Number.isFinite);
        if (!fits) fail(node, `have 1 or ${width} finite constants`, `[${constants.join(', ')}]`);
      }
      return { output: input, weights: none };
    }
    case 'dropout':
      if (!(node.rate >= 0 && node.rate < 1)) fail(node, 'have a rate in [0, 1)', String(node.rate));
      return { output: input, weights: none };
    case 'maxPool2d':
    case 'averagePool2d': {
      requireImage();
      const { padding, windowSize } = node;
      if (
        Math.max(padding.top, padding.bottom) >= windowSize[0] ||
        Math.max(padding.left, padding.right) >= windowSize[1]
      ) {
        fail(node, 'have no window in padding alone', `padding ${JSON.stringify(padding)}`);
      }
      return { output: [...slide(input, windowSize, node.strides, padding), input[2]], weights: none };
    }
    case 'globalAveragePool2d':
      requireImage();
      return { output: [input[2]], weights: none };
    case 'add':
    case 'multiply': {
      const output = inputs.reduce<readonly number[]>((left, right) => {
        const joined = broadcast(left, right);
        return joined ?? fail(node, 'read shapes that broadcast', `[${left.join(', ')}] and [${right.join(', ')}]`);
      }, inputs[0]);
      return { output, weights: none };
    }
    case 'concat': {
      const outer = input.slice(0, -1);
      for (const other of inputs) {
        if (other.length !== input.length || outer.some((size, axis) => other[axis] !== size)) {
          fail(node, `read shapes that agree with ${shown} but for the channels`, `[${other.join(', ')}]`);
        }
      }
      return { output: [...outer, inputs.reduce((total, other) => total + other[other.length - 1], 0)], weights: none };
    }
    case 'pad2d':
      requireImage();
      return {
        output: [
          input[0] + node.padding.top + node.padding.bottom,
          input[1] + node.padding.left + node.padding.right,
          input[2],
        ],
        weights: none,
      };
    case 'upsampleNearest2d':
      requireImage();
      return { output: [input[0] * node.factors[0], input[1] * node.factors[1], input[2]], weights: none };
    case 'reshape':
      if (product(node.shape) !== product(input))
        fail(node, `hold the ${product(input)} elements of ${shown}`, `[${node.shape.join(', ')}]`);
      return { output: node.shape, weights: none };
    case 'flatten':
      return { output: [product(input)], weights: none };
    default:
      return fail(node, 'be of a known kind', `'${(node as { kind: string }).kind}'`);
  }
}
