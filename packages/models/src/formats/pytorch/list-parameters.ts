import { type Graph, inferShapes, type ModelNode } from '@dafl/core';
import { type ModuleNaming, nameModules } from './module-names.ts';

/** One tensor of a network as PyTorch stores it. */
export interface Parameter {
  /** PyTorch's name: `layer1.0.conv1.weight`. */
  readonly key: string;
  /** As PyTorch has it: OIHW kernels, dense layers `[units, inputs]`. */
  readonly shape: readonly number[];
  /** dafl's name: `stage1/block1/conv1.kernel`. */
  readonly weight: string;
  readonly node: ModelNode;
  /** dafl's shape. */
  readonly ownShape: readonly number[];
  /** Which of PyTorch's elements stands at each place of dafl's. */
  readonly order: 'same' | 'kernel' | 'dense' | Flattened;
}

/** A dense layer that reads maps: PyTorch flattens them channels first, dafl may flatten them channels last. */
export interface Flattened {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

const suffixes: Readonly<Record<string, string>> = {
  kernel: 'weight',
  bias: 'bias',
  scale: 'weight',
  offset: 'bias',
  runningMean: 'running_mean',
  runningVariance: 'running_var',
};

/**
 * Every tensor of an architecture, in PyTorch's order.
 *
 * @returns Undefined where the naming does not know a node.
 */
export function listParameters(graph: Graph, naming: ModuleNaming): Parameter[] | undefined {
  const modules = nameModules(graph, naming);
  if (modules === undefined) return undefined;
  const shapes = inferShapes(graph);
  const nodes = new Map<string, ModelNode>(graph.nodes.map((node) => [node.name, node]));
  return [...modules].flatMap(([name, module]) => {
    const node = nodes.get(name)!;
    const weights = shapes.get(name)!.weights;
    return Object.entries(weights).map(([weight, { shape }]): Parameter => {
      const isKernel = weight === 'kernel';
      const order = !isKernel
        ? 'same'
        : node.kind === 'dense'
          ? (flattenedBefore(graph, node, (of) => shapes.get(of)?.output ?? graph.inputShape) ?? 'dense')
          : 'kernel';
      const [height, width, inputs, outputs] = shape;
      const theirs = !isKernel
        ? shape
        : node.kind === 'dense'
          ? [shape[1], shape[0]]
          : [outputs, inputs, height, width];
      return {
        key: `${module}.${suffixes[weight]}`,
        shape: theirs,
        weight: `${name}.${weight}`,
        node,
        ownShape: shape,
        order,
      };
    });
  });
}

/** The maps that a dense layer reads through a flattening channels last, where that makes a difference. */
function flattenedBefore(
  { nodes }: Graph,
  dense: ModelNode,
  shapeOf: (name: string) => readonly number[],
): Flattened | undefined {
  let [name] = dense.inputs;
  for (;;) {
    const node = nodes.find((each) => each.name === name);
    if (node?.kind === 'dropout' || node?.kind === 'activation') [name] = node.inputs;
    else if (node?.kind !== 'flatten' || node.order !== 'hwc') return undefined;
    else {
      const [height, width, channels] = shapeOf(node.inputs[0]);
      return channels > 1 && height * width > 1 ? { height, width, channels } : undefined;
    }
  }
}

/** Position among PyTorch's elements of each of dafl's: calls `move(theirs, own)` for each. */
export function forEachElement({ ownShape, order }: Parameter, move: (theirs: number, own: number) => void): void {
  const size = ownShape.reduce((product, length) => product * length, 1);
  if (order === 'same') {
    for (let index = 0; index < size; index++) move(index, index);
  } else if (order === 'kernel') {
    const [height, width, inputs, outputs] = ownShape;
    const area = height * width;
    for (let own = 0, position = 0; position < area; position++) {
      for (let input = 0; input < inputs; input++) {
        for (let output = 0; output < outputs; output++, own++) move((output * inputs + input) * area + position, own);
      }
    }
  } else {
    const [inputs, units] = ownShape;
    const maps = order === 'dense' ? { height: 1, width: 1, channels: inputs } : order;
    const area = maps.height * maps.width;
    for (let row = 0, own = 0; row < inputs; row++) {
      const channel = row % maps.channels;
      const column = channel * area + (row - channel) / maps.channels;
      for (let unit = 0; unit < units; unit++, own++) move(unit * inputs + column, own);
    }
  }
}
