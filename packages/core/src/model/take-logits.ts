import { DaflError } from '../errors.ts';
import { AddedNodes } from './heads/added-nodes.ts';
import { GraphIndex } from './heads/graph-index.ts';
import { headOf, isSigmoid } from './heads/head-of.ts';
import { leavesOrder } from './heads/leaves-order.ts';
import { respellSigmoid } from './heads/respell-sigmoid.ts';
import type { SpeltHead } from './heads/spelling.ts';
import { headSpellings } from './heads/spellings.ts';
import { sumOf } from './heads/sum-of.ts';
import { wideAxes } from './heads/wide-axes.ts';
import type { Graph, ModelNode } from './model.ts';

/** A classifier that gives logits. */
export interface TakenLogits {
  readonly graph: Graph;
  /** What was taken for the logits, in a sentence; absent where the graph marks logits itself. */
  readonly note?: string;
}

/**
 * The same classifier, which says the same class of each image, but with the logits where it gives probabilities: dafl
 * reads what is marked as logits through a softmax, and two of them make all classes nearly alike. What is marked may
 * lie behind a softmax, its logarithm or a sigmoid, and behind steps that change neither the order of the classes nor
 * which is the largest. Softmax and sigmoid may be spelt out, in the ways that `heads/spellings.ts` lists. One sigmoid unit, alone or
 * as the pair 1 - p and p, is two classes with logits -z / 2 and z / 2; of several, each is a class. A hard sigmoid is taken as
 * the sigmoid of the same slope.
 * Graphs without `logits` stay as they are. Nodes with weights are never dropped.
 *
 * @throws {DaflError} `MODEL` if the softmax is not over the classes.
 */
export function takeLogits(given: Graph): TakenLogits {
  const marked = given.outputs.logits;
  if (marked === undefined) return { graph: given };
  const graph = respellSigmoid(given);
  const index = new GraphIndex(graph);
  const passed: string[] = [];
  let node = index.nodeOf(marked);
  while (node !== undefined && headOf(node) === null && leavesOrder(node, index.shapeOf(node.inputs[0]))) {
    if (findSpelling(node, index) !== undefined) break;
    passed.push(node.name);
    node = index.nodeOf(node.inputs[0]);
  }
  const spelt = node === undefined ? undefined : findSpelling(node, index);
  const isSecondFirst = spelt?.isSecondFirst === true;
  if (spelt !== undefined) {
    passed.push(...spelt.steps);
    node = spelt.head;
  }
  const head = node === undefined ? null : spelt?.isSoftmax === true ? 'Softmax' : headOf(node);
  if (node === undefined || head === null) return takeOthers(given);
  if (spelt === undefined || !spelt.isSoftmax) passed.push(node.name);
  const [source] = node.inputs;
  const shape = index.shapeOf(source);
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

/** The head that is spelt out and ends with a node. */
function findSpelling(node: ModelNode, index: GraphIndex): SpeltHead | undefined {
  for (const spelling of headSpellings) {
    const spelt = spelling(node, index);
    if (spelt !== undefined) return spelt;
  }
  return undefined;
}

/** Probabilities are taken as if they were no smaller: their logarithms must be finite. */
const LEAST_PROBABILITY = 1e-7;

/** Where nothing like a softmax is the last step: values that always have one sum, as the mean of several networks' probabilities has. */
function takeOthers(graph: Graph): TakenLogits {
  const marked = graph.outputs.logits;
  const index = new GraphIndex(graph);
  const added = new AddedNodes(graph);
  const sum = wideAxes(index.shapeOf(marked)) === 1 ? sumOf(marked, index) : undefined;
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

/** What makes the input of a hard sigmoid that of the sigmoid with the same slope and the same value 1/2. */
function scaleOf(node: ModelNode): { slope: number; shift: number } {
  if (node.kind !== 'activation' || node.function !== 'hardSigmoid') return { slope: 1, shift: 0 };
  const { alpha = 1 / 6, beta = 0.5 } = node;
  return { slope: 4 * alpha, shift: 4 * (beta - 0.5) };
}
