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
type Head = 'Softmax' | 'LogSoftmax' | 'Sigmoid' | 'HardSigmoid';

/**
 * The same classifier, which says the same class of each image, but with the logits where it gives probabilities: dafl
 * reads what is marked as logits through a softmax, and two of them make all classes nearly alike. What is marked may
 * lie behind a softmax, its logarithm or a sigmoid, and behind steps that change neither the order of the classes nor
 * which is the largest. A softmax may be spelt out as exp(z) over the sum of its classes. One sigmoid unit, alone or as the
 * pair 1 - p and p, is two classes with logits -z / 2 and z / 2; of several, each is a class. A hard sigmoid is taken as the
 * sigmoid of the same slope.
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
    const spelt = spellOut(node, byName, shapeOf);
    if (spelt !== undefined) break;
    passed.push(node.name);
    node = byName.get(node.inputs[0]);
  }
  const spelt = node === undefined ? undefined : spellOut(node, byName, shapeOf);
  const isSecondFirst = spelt?.isSecondFirst === true;
  if (spelt !== undefined) {
    passed.push(...spelt.steps);
    node = spelt.head;
  }
  const head = node === undefined ? null : spelt?.isSoftmax === true ? 'Softmax' : headOf(node);
  if (node === undefined || head === null) return { graph };
  if (spelt === undefined || !spelt.isSoftmax) passed.push(node.name);
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
  if (classes === 1 && !isSigmoid(head)) return { graph };

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
  const called = spelt?.isSoftmax === true ? spelt.steps[0] : node.name;
  let note = `The logits are what ${head} '${called}' at its end reads`;
  if (isSigmoid(head) && classes === 1) {
    const { slope, shift } = scaleOf(node);
    const halves = [-0.5, 0.5].map((half, label) =>
      add(`${source}/class${label}`, (name) => {
        return { kind: 'affine', name, inputs: [logits], factor: [half * slope], summand: [half * shift] };
      }),
    );
    logits = add(`${source}/classes`, (name) => {
      return { kind: 'concat', name, inputs: isSecondFirst ? halves.toReversed() : halves };
    });
    note =
      spelt === undefined
        ? `The one unit of ${head} '${node.name}' at its end is taken as two classes: 1 where it is above 1/2, else 0`
        : `The logits are those of the pair that is made of ${head} '${node.name}' at its end`;
  } else if (isSigmoid(head)) {
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
  if (node.function === 'hardSigmoid') return 'HardSigmoid';
  return node.function === 'sigmoid' ? 'Sigmoid' : null;
}

const isSigmoid = (head: Head): boolean => head === 'Sigmoid' || head === 'HardSigmoid';

/** What makes the input of a hard sigmoid that of the sigmoid with the same slope and the same value 1/2. */
function scaleOf(node: ModelNode): { slope: number; shift: number } {
  if (node.kind !== 'activation' || node.function !== 'hardSigmoid') return { slope: 1, shift: 0 };
  const { alpha = 1 / 6, beta = 0.5 } = node;
  return { slope: 4 * alpha, shift: 4 * (beta - 0.5) };
}

/** A head that is made of several nodes. */
interface SpeltHead {
  /** What reads the logits: the exponential of a softmax, the sigmoid of a pair. */
  readonly head: ModelNode;
  /** The nodes behind it, from the last on; of a softmax, itself too. */
  readonly steps: readonly string[];
  readonly isSoftmax: boolean;
  /** Of a pair: whether the probability of class 1 stands first. */
  readonly isSecondFirst: boolean;
}

/** Recognises exp(z) / sum(exp(z)) over the classes, and the pair of 1 - p and p. */
function spellOut(
  node: ModelNode,
  byName: ReadonlyMap<string, ModelNode>,
  shapeOf: (name: string) => readonly number[],
): SpeltHead | undefined {
  if (node.kind === 'divide') {
    const [power, total] = node.inputs.map((name) => byName.get(name));
    if (power?.kind !== 'activation' || power.function !== 'exp') return undefined;
    const shape = shapeOf(power.name);
    /** The reduction of `of` over all classes that `value` is, and the reshapes behind it. */
    const reduction = (value: ModelNode | undefined, operation: 'sum' | 'max', of: string): string[] | undefined => {
      const behind: string[] = [];
      let current = value;
      while (current?.kind === 'reshape') {
        behind.push(current.name);
        current = byName.get(current.inputs[0]);
      }
      if (current?.kind !== 'reduce' || current.operation !== operation || current.inputs[0] !== of) return undefined;
      const { axes } = current;
      return shape.every((size, axis) => size === 1 || axes.includes(axis)) ? [...behind, current.name] : undefined;
    };
    const sum = reduction(total, 'sum', power.name);
    if (sum === undefined) return undefined;
    const steps = [node.name, ...sum, power.name];
    // The largest logit is often taken off first.
    const centred = byName.get(power.inputs[0]);
    const [logits, largest] = centred?.kind === 'subtract' ? centred.inputs : [];
    const most = logits === undefined ? undefined : reduction(byName.get(largest), 'max', logits);
    if (centred === undefined || most === undefined)
      return { head: power, steps, isSoftmax: true, isSecondFirst: false };
    return { head: centred, steps: [...steps, centred.name, ...most], isSoftmax: true, isSecondFirst: false };
  }
  if (node.kind !== 'concat' || node.inputs.length !== 2) return undefined;
  const [first, second] = node.inputs.map((name) => byName.get(name));
  for (const [probability, rest] of [
    [first, second],
    [second, first],
  ]) {
    if (probability === undefined || rest === undefined) continue;
    // 1 - p, in one step or several.
    let [factor, summand] = [1, 0];
    const steps = [node.name];
    let current: ModelNode | undefined = rest;
    while (current?.kind === 'affine' && current.factor.length === 1 && current.summand.length === 1) {
      [factor, summand] = [factor * current.factor[0], summand + factor * current.summand[0]];
      steps.push(current.name);
      current = byName.get(current.inputs[0]);
    }
    const head = headOf(probability);
    const isRest = current === probability && factor === -1 && summand === 1;
    const isUnit = shapeOf(probability.name).every((size) => size === 1);
    if (isRest && isUnit && head !== null && isSigmoid(head))
      return { head: probability, steps, isSoftmax: false, isSecondFirst: probability === first };
  }
  return undefined;
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
