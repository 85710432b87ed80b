import { DaflError } from '../errors.ts';
import { inferShapes } from './infer-shapes.ts';
import type { Graph, ModelNode } from './model.ts';

/** A classifier that gives logits. */
export interface TakenLogits {
  readonly graph: Graph;
  /** What was taken for the logits, in a sentence; absent where the graph marks logits itself. */
  readonly note?: string;
}

/** What makes probabilities of logits. */
type Head = 'Softmax' | 'LogSoftmax' | 'Sigmoid';

/**
 * The same classifier, which says the same class of each image, but with the logits where it gives probabilities: dafl
 * reads what is marked as logits through a softmax, and two of them make all classes nearly alike. What is marked may
 * lie behind a softmax, its logarithm or a sigmoid, and behind steps that change neither the order of the classes nor
 * which is the largest. One sigmoid unit is two classes with logits -z / 2 and z / 2; of several, each is a class.
 * Graphs without `logits` stay as they are. Nodes with weights are never dropped.
 *
 * @throws {DaflError} `MODEL` if the softmax is not over the classes.
 */
export function takeLogits(graph: Graph): TakenLogits {
  const marked = graph.outputs.logits;
  if (marked === undefined) return { graph };
  const shapes = inferShapes(graph);
  const byName = new Map(graph.nodes.map((node) => [node.name, node]));
  const shapeOf = (name: string): readonly number[] => shapes.get(name)?.output ?? graph.inputShape;
  const passed: string[] = [];
  let node = byName.get(marked);
  while (node !== undefined && headOf(node) === null && leavesOrder(node, shapeOf(node.inputs[0]))) {
    passed.push(node.name);
    node = byName.get(node.inputs[0]);
  }
  const head = node === undefined ? null : headOf(node);
  if (node === undefined || head === null) return { graph };
  passed.push(node.name);
  const [source] = node.inputs;
  const shape = shapeOf(source);
  const classes = Math.max(1, ...shape);
  const isRow = shape.every((size) => size === 1 || size === classes) && wideAxes(shape) <= 1;
  if (!isRow || (node.kind === 'softmax' && shape[node.axis] !== classes)) {
    throw new DaflError(
      'MODEL',
      `Cannot use model '${graph.name}' as a classifier as ${head} '${node.name}' must be over its classes: current value is [${shape.join(', ')}]${node.kind === 'softmax' ? ` along axis ${node.axis}` : ''}`,
    );
  }
  // One class has the probability 1 whatever its logit: there is nothing behind it.
  if (classes === 1 && head !== 'Sigmoid') return { graph };

  const added: ModelNode[] = [];
  const add = (name: string, make: (name: string) => ModelNode): string => {
    let free = name;
    while (byName.has(free) || free === 'input') free += '_';
    added.push(make(free));
    return free;
  };
  let logits = source;
  if (shape.length !== 1)
    logits = add(`${source}/row`, (name) => ({ kind: 'reshape', name, inputs: [source], shape: [classes] }));
  let note = `The logits are what ${head} '${node.name}' at its end reads`;
  if (head === 'Sigmoid' && classes === 1) {
    const halves = [-0.5, 0.5].map((factor, label) =>
      add(`${source}/class${label}`, (name) => {
        return { kind: 'affine', name, inputs: [logits], factor: [factor], summand: [0] };
      }),
    );
    logits = add(`${source}/classes`, (name) => ({ kind: 'concat', name, inputs: halves }));
    note = `The one unit of Sigmoid '${node.name}' at its end is taken as two classes: 1 where it is above 1/2, else 0`;
  } else if (head === 'Sigmoid') {
    note += '. Each image is taken to be of one class, the likeliest: that it may have several labels or none is lost';
  }

  const outputs = { ...graph.outputs, logits };
  const needed = new Set([...Object.values(outputs), ...added.flatMap(({ inputs }) => inputs)]);
  for (const other of graph.nodes) if (!passed.includes(other.name)) for (const name of other.inputs) needed.add(name);
  // What stands before a node that is needed is needed too.
  const kept = passed.findIndex((name) => needed.has(name));
  const dropped = new Set(kept < 0 ? passed : passed.slice(0, kept));
  const nodes = [...graph.nodes.filter(({ name }) => !dropped.has(name)), ...added];
  return { graph: { ...graph, nodes, outputs }, note };
}

function headOf(node: ModelNode): Head | null {
  if (node.kind === 'softmax') return node.logarithm ? 'LogSoftmax' : 'Softmax';
  if (node.kind !== 'activation') return null;
  if (node.function === 'softmax') return 'Softmax';
  return node.function === 'sigmoid' ? 'Sigmoid' : null;
}

/** Whether a node leaves the classes in their order, and the largest the largest. */
function leavesOrder(node: ModelNode, shape: readonly number[]): boolean {
  switch (node.kind) {
    case 'reshape':
    case 'dropout':
    case 'clip':
      return true;
    case 'flatten':
    case 'transpose':
      return wideAxes(shape) <= 1;
    case 'concat':
      return node.inputs.length === 1;
    case 'affine':
      return new Set(node.factor).size === 1 && node.factor[0] > 0 && new Set(node.summand).size === 1;
    case 'activation':
      return node.function === 'log';
    default:
      return false;
  }
}

function wideAxes(shape: readonly number[]): number {
  return shape.filter((size) => size > 1).length;
}
