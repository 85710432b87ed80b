import { type AveragePoolNode, inferShapes, type Model, type ModelNode, type NodeOfKind } from '@dafl/core';
import { withoutUnread } from '../without-unread.ts';
import { sizeOf, transposeConstant } from './constant.ts';

/**
 * The same model with normalisations by neighbouring channels as the nodes that they are: torch writes them as x / (bias + alpha x
 * the mean of x^2 over a window of channels)^beta, with the channels as rows of maps.
 */
export function fuseResponseNorm(model: Model): Model {
  const { graph } = model;
  if (!graph.nodes.some(({ kind }) => kind === 'divide')) return model;
  const byName = new Map(graph.nodes.map((node) => [node.name, node]));
  const shapes = inferShapes(graph);
  const shapeOf = (name: string): readonly number[] => shapes.get(name)?.output ?? graph.inputShape;
  const fused = new Map<string, ModelNode>();
  for (const node of graph.nodes) {
    if (node.kind !== 'divide' || node.inputs.length !== 2) continue;
    const fields = responseNormOf(node.inputs, byName, shapeOf);
    if (fields !== undefined) fused.set(node.name, { ...fields, name: node.name, inputs: [node.inputs[0]] });
  }
  if (fused.size === 0) return model;
  return withoutUnread({ ...graph, nodes: graph.nodes.map((node) => fused.get(node.name) ?? node) }, model.weights);
}

/** Of maps: of 224 x 224 pixels, 80 channels. */
const MOST_ELEMENTS = 2 ** 22;

type Fields = Omit<NodeOfKind<'localResponseNorm'>, 'name' | 'inputs'>;

/** What a quotient is as a normalisation by neighbouring channels; undefined where it is another. */
function responseNormOf(
  [input, divisor]: readonly string[],
  byName: ReadonlyMap<string, ModelNode>,
  shapeOf: (name: string) => readonly number[],
): Fields | undefined {
  const behind: Move[] = [];
  let [alpha, bias, beta] = [1, 0, 1];
  let isRaised = false;
  let window = byName.get(divisor);
  for (; window !== undefined && window.kind !== 'averagePool2d'; window = byName.get(window.inputs[0])) {
    const exponent = exponentOf(window);
    if (window.kind === 'reshape' || window.kind === 'transpose') behind.unshift(window);
    else if (exponent !== undefined && !isRaised && alpha === 1 && bias === 0) [beta, isRaised] = [exponent, true];
    else if (window.kind === 'affine' && window.factor.length === 1 && window.summand.length === 1) {
      bias += alpha * window.summand[0];
      alpha *= window.factor[0];
    } else return undefined;
  }
  if (!(alpha >= 0 && bias > 0) || window === undefined) return undefined;
  const before = movesBefore(window.inputs[0], byName);
  const square = byName.get(before.from);
  const isSquare =
    (square?.kind === 'power' && square.exponent === 2 && square.inputs[0] === input) ||
    (square?.kind === 'multiply' && square.inputs.length === 2 && square.inputs.every((name) => name === input));
  const size = neighbours(window);
  if (!isSquare || size === undefined) return undefined;
  const shape = shapeOf(input);
  // Where each element goes is looked at.
  if (!(sizeOf(shape) <= MOST_ELEMENTS)) return undefined;
  const rows = move(counted(shape), shape, before.moves);
  const channels = shape[shape.length - 1];
  const [length, width, depth] = rows.shape;
  const isAlong = rows.elements.every((element, place) => element % channels === Math.floor(place / width));
  const isBack = move(rows.elements, rows.shape, behind).elements.every((element, place) => element === place);
  return isAlong && isBack && length === channels && depth === 1
    ? { kind: 'localResponseNorm', size, alpha, beta, bias }
    : undefined;
}

function exponentOf(node: ModelNode): number | undefined {
  if (node.kind === 'power') return node.exponent;
  return node.kind === 'activation' && node.function === 'sqrt' ? 0.5 : undefined;
}

/** How many rows a window reads, one row after another with as many of them around each as the node has. */
function neighbours({ windowSize, strides, padding, countsPadding }: AveragePoolNode): number | undefined {
  const [size, columns] = windowSize;
  const { top, bottom, left, right } = padding;
  const isWhole = top === Math.floor((size - 1) / 2) && top + bottom === size - 1 && (countsPadding || size === 1);
  return isWhole && columns === 1 && left + right === 0 && strides.every((stride) => stride === 1) ? size : undefined;
}

type Move = NodeOfKind<'reshape'> | NodeOfKind<'transpose'>;

/** The reshapes and transpositions that make a value, in their order, and of what. */
function movesBefore(name: string, byName: ReadonlyMap<string, ModelNode>): { from: string; moves: Move[] } {
  const moves: Move[] = [];
  let node = byName.get(name);
  while (node?.kind === 'reshape' || node?.kind === 'transpose') {
    moves.unshift(node);
    node = byName.get(node.inputs[0]);
  }
  return { from: moves[0]?.inputs[0] ?? name, moves };
}

function counted(shape: readonly number[]): number[] {
  return Array.from({ length: sizeOf(shape) }, (_, index) => index);
}

/** Where the elements of a value lie after some moves. */
function move(elements: readonly number[], shape: readonly number[], moves: readonly Move[]) {
  let moved = { elements, shape };
  for (const node of moves) {
    if (node.kind === 'reshape') moved = { elements: moved.elements, shape: node.shape };
    else {
      const constant = { shape: moved.shape, dataType: 1, values: Float64Array.from(moved.elements) };
      const turned = transposeConstant(constant, node.permutation);
      moved = { elements: [...turned.values], shape: turned.shape };
    }
  }
  return moved;
}
