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
 * which is the largest. A softmax may be spelt out as exp(z) over the sum of its classes, or as
 * exp(z - log of that sum). One sigmoid unit, alone or as the
 * pair 1 - p and p, is two classes with logits -z / 2 and z / 2; of several, each is a class. A hard sigmoid is taken as the
 * sigmoid of the same slope.
 * Graphs without `logits` stay as they are. Nodes with weights are never dropped.
 *
 * @throws {DaflError} `MODEL` if the softmax is not over the classes.
 */
export function takeLogits(given: Graph): TakenLogits {
  const marked = given.outputs.logits;
  if (marked === undefined) return { graph: given };
  const graph = respellSigmoid(given);
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
  if (node === undefined || head === null) return takeOthers(given, shapeOf(marked));
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

  const added = new AddedNodes(graph);
  let logits = source;
  if (shape.length !== 1)
    logits = added.add({ kind: 'reshape', name: `${source}/row`, inputs: [source], shape: [classes] });
  const called = spelt?.isSoftmax === true ? spelt.steps[0] : node.name;
  let note = `The logits are what ${head} '${called}' at its end reads`;
  if (isSigmoid(head) && classes === 1) {
    logits = added.addPair(logits, { ...scaleOf(node), isSecondFirst });
    note =
      spelt === undefined
        ? `The one unit of ${head} '${node.name}' at its end is taken as two classes: 1 where it is above 1/2, else 0`
        : `The logits are those of the pair that is made of ${head} '${node.name}' at its end`;
  } else if (isSigmoid(head)) {
    note += '. Each image is taken to be of one class, the likeliest: that it may have several labels or none is lost';
  }

  const outputs = { ...graph.outputs, logits };
  const needed = new Set([...Object.values(outputs), ...added.nodes.flatMap(({ inputs }) => inputs)]);
  for (const other of graph.nodes) if (!passed.includes(other.name)) for (const name of other.inputs) needed.add(name);
  // What stands before a node that is needed is needed too.
  const kept = passed.findIndex((name) => needed.has(name));
  const dropped = new Set(kept < 0 ? passed : passed.slice(0, kept));
  const nodes = [...graph.nodes.filter(({ name }) => !dropped.has(name)), ...added.nodes];
  return { graph: { ...graph, nodes, outputs }, note };
}

/** Nodes that are put behind a graph. */
class AddedNodes {
  readonly nodes: ModelNode[] = [];
  readonly #taken: Set<string>;

  constructor({ nodes }: Graph) {
    this.#taken = new Set(['input', ...nodes.map(({ name }) => name)]);
  }

  /** @returns The node's name: its own, or one like it that is free. */
  add(node: ModelNode): string {
    let { name } = node;
    while (this.#taken.has(name)) name += '_';
    this.#taken.add(name);
    this.nodes.push({ ...node, name });
    return name;
  }

  /** The logits of two classes between which one unit decides: -z / 2 and z / 2. */
  addPair(unit: string, { slope = 1, shift = 0, isSecondFirst = false } = {}): string {
    const halves = [-0.5, 0.5].map((half, label) =>
      this.add({
        kind: 'affine',
        name: `${unit}/class${label}`,
        inputs: [unit],
        factor: [half * slope],
        summand: [half * shift],
      }),
    );
    return this.add({ kind: 'concat', name: `${unit}/classes`, inputs: isSecondFirst ? halves.toReversed() : halves });
  }
}

/** Probabilities are taken as if they were no smaller: their logarithms must be finite. */
const LEAST_PROBABILITY = 1e-7;

/** Where nothing like a softmax is the last step: values that always have one sum, as the mean of several networks' probabilities has. */
function takeOthers(graph: Graph, shape: readonly number[]): TakenLogits {
  const marked = graph.outputs.logits;
  const added = new AddedNodes(graph);
  const sum = wideAxes(shape) === 1 ? sumOf(marked, graph) : undefined;
  if (sum === undefined) return { graph };
  const share = added.add({
    kind: 'affine',
    name: `${marked}/share`,
    inputs: [marked],
    factor: [1 / sum],
    summand: [0],
  });
  const bounded = added.add({ kind: 'clip', name: `${marked}/bounded`, inputs: [share], minimum: LEAST_PROBABILITY });
  const logits = added.add({ kind: 'activation', name: `${marked}/logarithm`, inputs: [bounded], function: 'log' });
  return {
    graph: { ...graph, nodes: [...graph.nodes, ...added.nodes], outputs: { ...graph.outputs, logits } },
    note: `The logits are the logarithms of the probabilities that '${marked}' gives`,
  };
}

/** The sum that the values of a node have for every image, all of them >= 0; undefined where there is none. */
function sumOf(name: string, graph: Graph): number | undefined {
  const shapes = inferShapes(graph);
  const byName = new Map(graph.nodes.map((node) => [node.name, node]));
  const shapeOf = (of: string): readonly number[] => shapes.get(of)?.output ?? graph.inputShape;
  // Sums of sums may share what they are made of many times over.
  const known = new Map<string, number | undefined>();
  const find = (of: string): number | undefined => {
    if (!known.has(of)) {
      known.set(of, undefined);
      known.set(of, sum(byName.get(of)));
    }
    return known.get(of);
  };
  const sum = (node: ModelNode | undefined): number | undefined => {
    if (node === undefined) return undefined;
    if (headOf(node) === 'Softmax') {
      const shape = shapeOf(node.inputs[0]);
      return wideAxes(shape) === 1 && (node.kind !== 'softmax' || shape[node.axis] > 1) ? 1 : undefined;
    }
    switch (node.kind) {
      case 'reshape':
      case 'dropout':
        return find(node.inputs[0]);
      case 'flatten':
      case 'transpose':
        return wideAxes(shapeOf(node.inputs[0])) <= 1 ? find(node.inputs[0]) : undefined;
      case 'affine': {
        const { factor, summand } = node;
        const before = find(node.inputs[0]);
        const isScale = new Set(factor).size === 1 && factor[0] > 0 && summand.every((value) => value === 0);
        return before !== undefined && isScale ? before * factor[0] : undefined;
      }
      case 'add': {
        const sums = node.inputs.map(find);
        return sums.reduce((total, next) => (total === undefined || next === undefined ? undefined : total + next));
      }
      default: {
        const { numerator, denominator } = quotientOf(node, byName) ?? {};
        const isShare =
          numerator !== undefined && isNeverNegative(numerator) && totalOf(denominator, numerator, byName, shapeOf);
        return isShare ? 1 : undefined;
      }
    }
  };
  return find(name);
}

/** Activations that give no negative values. */
const positive: ReadonlySet<string> = new Set([
  'exp',
  'relu',
  'relu6',
  'sigmoid',
  'hardSigmoid',
  'softplus',
  'softmax',
  'abs',
]);

const isNeverNegative = (node: ModelNode): boolean => node.kind === 'activation' && positive.has(node.function);

/** What is divided by what: by a quotient, or by the product with a reciprocal. */
function quotientOf(
  node: ModelNode,
  byName: ReadonlyMap<string, ModelNode>,
): { numerator: ModelNode; denominator: ModelNode; behind: string[] } | undefined {
  const [left, right] = node.inputs.map((name) => byName.get(name));
  if (left === undefined || right === undefined) return undefined;
  if (node.kind === 'divide') return { numerator: left, denominator: right, behind: [] };
  if (node.kind !== 'multiply') return undefined;
  for (const [numerator, factor] of [
    [left, right],
    [right, left],
  ]) {
    const behind: string[] = [];
    let current: ModelNode | undefined = factor;
    while (current?.kind === 'reshape') {
      behind.push(current.name);
      current = byName.get(current.inputs[0]);
    }
    if (current?.kind !== 'power' || current.exponent !== -1) continue;
    const denominator = byName.get(current.inputs[0]);
    if (denominator !== undefined) return { numerator, denominator, behind: [...behind, current.name] };
  }
  return undefined;
}

/** What keeps a quotient finite may be added to a sum. */
const LARGEST_EPSILON = 1e-3;

/** The nodes that make a sum over all values of `of`, which is never negative, from the last on; undefined where there is none. */
function totalOf(
  total: ModelNode | undefined,
  of: ModelNode,
  byName: ReadonlyMap<string, ModelNode>,
  shapeOf: (name: string) => readonly number[],
): string[] | undefined {
  const behind: string[] = [];
  let current = total;
  const isEpsilon = (node: ModelNode | undefined): boolean =>
    node?.kind === 'affine' &&
    node.factor.every((value) => value === 1) &&
    node.summand.every((value) => value >= 0 && value <= LARGEST_EPSILON);
  while (current?.kind === 'reshape' || isEpsilon(current)) {
    behind.push(current!.name);
    current = byName.get(current!.inputs[0]);
  }
  if (current?.kind !== 'reduce' || current.operation !== 'sum') return undefined;
  const { axes } = current;
  const steps = [...behind, current.name];
  let summed = current.inputs[0];
  const magnitude = byName.get(summed);
  if (summed !== of.name && magnitude?.kind === 'activation' && magnitude.function === 'abs') {
    steps.push(summed);
    [summed] = magnitude.inputs;
  }
  return summed === of.name && shapeOf(of.name).every((size, axis) => size === 1 || axes.includes(axis))
    ? steps
    : undefined;
}

/** One factor and summand for all values, in one step or several. */
function unwind(
  node: ModelNode | undefined,
  byName: ReadonlyMap<string, ModelNode>,
): { base: ModelNode | undefined; factor: number; summand: number; steps: string[] } {
  let [factor, summand] = [1, 0];
  const steps: string[] = [];
  let base = node;
  while (base?.kind === 'affine' && base.factor.length === 1 && base.summand.length === 1) {
    [factor, summand] = [factor * base.factor[0], summand + factor * base.summand[0]];
    steps.push(base.name);
    base = byName.get(base.inputs[0]);
  }
  return { base, factor, summand, steps };
}

/** The same graph with a sigmoid for 1 / (1 + exp(-z)) and (1 + tanh(z / 2)) / 2 at its end. */
function respellSigmoid(graph: Graph): Graph {
  const byName = new Map(graph.nodes.map((node) => [node.name, node]));
  const shapes = inferShapes(graph);
  let node = byName.get(graph.outputs.logits);
  while (node !== undefined) {
    const { base, factor, summand, steps } = unwind(node, byName);
    if (base?.kind === 'activation' && base.function === 'tanh' && factor === 0.5 && summand === 0.5)
      return replaceBySigmoid(graph, [...steps, base.name], base.inputs[0], 2);
    if (base?.kind === 'power' && base.exponent === -1 && factor === 1 && summand === 0) {
      const one = unwind(byName.get(base.inputs[0]), byName);
      const power = one.base;
      if (power?.kind === 'activation' && power.function === 'exp' && one.factor === 1 && one.summand === 1)
        return replaceBySigmoid(graph, [...steps, base.name, ...one.steps, power.name], power.inputs[0], -1);
    }
    if (!leavesOrder(node, shapes.get(node.inputs[0])?.output ?? graph.inputShape)) return graph;
    node = byName.get(node.inputs[0]);
  }
  return graph;
}

/** @param steps What the sigmoid stands for, from the last on. */
function replaceBySigmoid(graph: Graph, steps: readonly string[], source: string, factor: number): Graph {
  const [last, ...before] = steps;
  const added = new AddedNodes(graph);
  const input = added.add({ kind: 'affine', name: `${last}/scaled`, inputs: [source], factor: [factor], summand: [0] });
  const sigmoid: ModelNode = { kind: 'activation', name: last, inputs: [input], function: 'sigmoid' };
  let nodes = graph.nodes.flatMap((node) => (node.name === last ? [...added.nodes, sigmoid] : [node]));
  const outputs = Object.values(graph.outputs);
  for (const name of before) {
    const isRead = outputs.includes(name) || nodes.some(({ inputs }) => inputs.includes(name));
    if (!isRead) nodes = nodes.filter((node) => node.name !== name);
  }
  return { ...graph, nodes };
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

/** Recognises exp(z) / sum(exp(z)) and exp(z - log(sum(exp(z)))) over the classes, and the pair of 1 - p and p. */
function spellOut(
  node: ModelNode,
  byName: ReadonlyMap<string, ModelNode>,
  shapeOf: (name: string) => readonly number[],
): SpeltHead | undefined {
  const quotient = quotientOf(node, byName);
  if (quotient !== undefined) {
    const { numerator: power, denominator, behind } = quotient;
    if (power.kind !== 'activation' || power.function !== 'exp') return undefined;
    const sum = totalOf(denominator, power, byName, shapeOf);
    if (sum === undefined) return undefined;
    const steps = [node.name, ...behind, ...sum, power.name];
    return spelledSoftmax(power, steps, byName, shapeOf);
  }
  const logarithm = logarithmSpelt(node, byName, shapeOf);
  if (logarithm !== undefined) return spelledSoftmax(logarithm.power, logarithm.steps, byName, shapeOf);
  if (node.kind !== 'concat' || node.inputs.length !== 2) return undefined;
  const [first, second] = node.inputs.map((name) => byName.get(name));
  for (const [probability, rest] of [
    [first, second],
    [second, first],
  ]) {
    if (probability === undefined || rest === undefined) continue;
    const { base, factor, summand, steps } = unwind(rest, byName);
    const head = headOf(probability);
    const isRest = base === probability && factor === -1 && summand === 1;
    const isUnit = shapeOf(probability.name).every((size) => size === 1);
    if (isRest && isUnit && head !== null && isSigmoid(head))
      return {
        head: probability,
        steps: [node.name, ...steps],
        isSoftmax: false,
        isSecondFirst: probability === first,
      };
  }
  return undefined;
}

/** @param power The exponential whose shares are taken. */
function spelledSoftmax(
  power: ModelNode,
  steps: readonly string[],
  byName: ReadonlyMap<string, ModelNode>,
  shapeOf: (name: string) => readonly number[],
): SpeltHead {
  // The largest logit is often taken off first.
  const centred = byName.get(power.inputs[0]);
  const [logits, largest] = centred?.kind === 'subtract' ? centred.inputs : [];
  const most = logits === undefined ? undefined : largestOf(byName.get(largest), logits, byName, shapeOf);
  if (centred === undefined || most === undefined) return { head: power, steps, isSoftmax: true, isSecondFirst: false };
  return { head: centred, steps: [...steps, centred.name, ...most], isSoftmax: true, isSecondFirst: false };
}

/** The nodes of exp(z - log(sum(exp(z)))), from the last on, and its exp(z). */
function logarithmSpelt(
  node: ModelNode,
  byName: ReadonlyMap<string, ModelNode>,
  shapeOf: (name: string) => readonly number[],
): { power: ModelNode; steps: string[] } | undefined {
  const isExponential = (of: ModelNode): boolean => of.kind === 'activation' && of.function === 'exp';
  const difference = isExponential(node) ? byName.get(node.inputs[0]) : undefined;
  if (difference?.kind !== 'subtract') return undefined;
  const [logits, subtracted] = difference.inputs;
  const behind: string[] = [];
  let current = byName.get(subtracted);
  while (current?.kind === 'reshape') {
    behind.push(current.name);
    current = byName.get(current.inputs[0]);
  }
  if (current?.kind !== 'activation' || current.function !== 'log') return undefined;
  const total = byName.get(current.inputs[0]);
  for (const power of byName.values()) {
    if (!isExponential(power) || power.inputs[0] !== logits) continue;
    const sum = totalOf(total, power, byName, shapeOf);
    if (sum !== undefined)
      return { power, steps: [node.name, difference.name, ...behind, current.name, ...sum, power.name] };
  }
  return undefined;
}

/** The reduction to the largest of all classes, and the reshapes behind it. */
function largestOf(
  value: ModelNode | undefined,
  of: string,
  byName: ReadonlyMap<string, ModelNode>,
  shapeOf: (name: string) => readonly number[],
): string[] | undefined {
  const behind: string[] = [];
  let current = value;
  while (current?.kind === 'reshape') {
    behind.push(current.name);
    current = byName.get(current.inputs[0]);
  }
  if (current?.kind !== 'reduce' || current.operation !== 'max' || current.inputs[0] !== of) return undefined;
  const { axes } = current;
  return shapeOf(of).every((size, axis) => size === 1 || axes.includes(axis)) ? [...behind, current.name] : undefined;
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
      return node.function === 'log' || node.function === 'exp';
    default:
      return false;
  }
}

function wideAxes(shape: readonly number[]): number {
  return shape.filter((size) => size > 1).length;
}
