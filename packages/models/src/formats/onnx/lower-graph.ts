import { showValue } from '@dafl/core';
import type { Reject } from '../_reject.ts';
import { decodeTensor } from './decode-tensor.ts';
import { freeConstants } from './free-constants.ts';
import { foldConstants, isFolded } from './fold-constants.ts';
import { type Activation, type GraphBuilder, isActivation, type TraceValue } from './graph-builder.ts';
import { lowerActivations } from './lower-activations.ts';
import { lowerArithmetic } from './lower-arithmetic.ts';
import { lowerAttention } from './lower-attention.ts';
import { lowerComparisons } from './lower-comparisons.ts';
import { lowerConvolutions } from './lower-convolutions.ts';
import { lowerDense } from './lower-dense.ts';
import { lowerEinsum } from './lower-einsum.ts';
import { lowerLayout } from './lower-layout.ts';
import { lowerNormalization } from './lower-normalization.ts';
import { lowerPooling } from './lower-pooling.ts';
import { lowerQuantization } from './lower-quantization.ts';
import { lowerReductions } from './lower-reductions.ts';
import { lowerSlices } from './lower-slices.ts';
import { lowerResizing } from './lower-resizing.ts';
import { lowerConcatenation } from './lower-concatenation.ts';
import { nodesBefore } from './nodes-before.ts';
import { type Lowerings, OperatorNode } from './operator-node.ts';
import type { OnnxGraph, OnnxModel, OnnxNode, OnnxTensor } from './parse-onnx.ts';
import { isGraph, namesRead } from './subgraphs.ts';
import { UnsupportedError } from './unsupported-error.ts';

/** By operator, of other domains than ONNX's own with that before it. */
const lowerings: Lowerings = {
  ...lowerActivations,
  ...lowerArithmetic,
  ...lowerAttention,
  ...lowerComparisons,
  ...lowerConvolutions,
  ...lowerDense,
  ...lowerEinsum,
  ...lowerLayout,
  ...lowerPooling,
  ...lowerNormalization,
  ...lowerQuantization,
  ...lowerReductions,
  ...lowerSlices,
  ...lowerResizing,
  ...lowerConcatenation,
};

/** Stands for a tensor that a refused node would have made. */
const unknown = Symbol('unknown');

/** What a lowered graph is. */
export interface LoweredGraph {
  readonly builder: GraphBuilder;
  readonly output: Activation;
}

/** How a graph is lowered. */
export interface LoweringOptions {
  /** The graph's input, as `builder` knows it. */
  readonly input: Activation;
  readonly inputName: string;
  /** The tensor that is wanted. */
  readonly outputName: string;
  readonly siblings: ReadonlyMap<string, Uint8Array>;
  readonly builder: GraphBuilder;
}

/** What is known of the tensors of a graph; those of the graphs around it are visible too. */
interface Scope {
  readonly values: Map<string, TraceValue | typeof unknown>;
  readonly initializers: ReadonlyMap<string, OnnxTensor>;
  readonly outer?: Scope;
}

function openScope(graph: OnnxGraph, outer?: Scope): Scope {
  return { values: new Map(), initializers: new Map(graph.initializers.map((tensor) => [tensor.name, tensor])), outer };
}

/**
 * Turns the nodes that a tensor needs into dafl's. Those that can't be are all named at once.
 */
export function lowerGraph(model: OnnxModel, options: LoweringOptions, reject: Reject): LoweredGraph {
  const { builder, siblings } = options;
  const readers = new Map<string, number>();
  for (const name of model.nodes.flatMap(namesRead)) readers.set(name, (readers.get(name) ?? 0) + 1);
  const decode = (tensor: OnnxTensor) => decodeTensor(tensor, siblings, reject);
  const find = (name: string, scope: Scope): TraceValue | typeof unknown => {
    const known = scope.values.get(name);
    if (known !== undefined) return known;
    const tensor = scope.initializers.get(name);
    if (tensor === undefined) {
      return scope.outer === undefined
        ? reject('each node must read what stands before it', showValue(name))
        : find(name, scope.outer);
    }
    const constant = decode(tensor);
    // What is read once is not kept: weights are large.
    if ((readers.get(name) ?? 0) > 1) scope.values.set(name, constant);
    return constant;
  };
  const refused: string[] = [];
  /** What the node writes. */
  const lower = (node: OnnxNode, scope: Scope): readonly (TraceValue | typeof unknown)[] => {
    const inputs = node.inputs.map((name) => (name === '' ? undefined : find(name, scope)));
    // What can't be known for want of another node is not held against a node that could be read.
    if (inputs.includes(unknown)) return isSupported(node) ? [] : refuse();
    const operator = new OperatorNode(
      node,
      freeConstants(node, inputs as (TraceValue | undefined)[], builder),
      builder,
      node.opset ?? model.opset,
      decode,
    );
    if (!isBranching(node)) return lowerMoving(operator, node);
    const branch = chooseBranch(operator, node);
    const inside = openScope(branch, scope);
    const names = branch.outputs.map(({ name }) => name);
    lowerNodes(nodesBefore(branch, ...names), inside);
    return names.map((name) => find(name, inside));
  };
  const lowerNodes = (nodes: readonly OnnxNode[], scope: Scope): void => {
    for (const node of nodes) {
      let results: readonly (TraceValue | typeof unknown)[];
      try {
        results = lower(node, scope);
      } catch (error) {
        if (!(error instanceof UnsupportedError)) throw error;
        refused.push(
          `${keyOf(node)} ${showValue(node.name || node.outputs[0])}${error.message && ` (${error.message})`}`,
        );
        results = [];
      }
      for (const [index, name] of node.outputs.entries()) {
        if (name === '') continue;
        if (scope.values.has(name)) reject('each tensor must be made once', showValue(name));
        scope.values.set(name, results[index] ?? unknown);
      }
    }
  };
  const scope = openScope(model);
  scope.values.set(options.inputName, options.input);
  lowerNodes(nodesBefore(model, options.outputName), scope);
  if (refused.length > 0) {
    reject(
      'its nodes must be ones that this version of dafl can turn into its own',
      `${refused.length === 1 ? 'one is not' : `${refused.length} are not`}: ${refused.join(', ')}`,
    );
  }
  const output = find(options.outputName, scope);
  if (output === unknown || !isActivation(output) || output.isQuantized)
    return reject('its output must depend on its input', showValue(options.outputName));
  return { builder, output };
}

function isBranching({ domain, operator }: OnnxNode): boolean {
  return domain === '' && operator === 'If';
}

/** The branch that a condition takes which is known as the file is read: exporters ask for sizes so. */
function chooseBranch(operator: OperatorNode, node: OnnxNode): OnnxGraph {
  const condition = operator.input(0);
  if (isActivation(condition) || condition.values.length !== 1) return operator.refuse('its condition is computed');
  const branch = node.attributes.get(condition.values[0] === 0 ? 'else_branch' : 'then_branch');
  return branch !== undefined && isGraph(branch) && branch.outputs.length === node.outputs.length
    ? branch
    : operator.refuse('its branch does not make what it gives');
}

function isSupported(node: OnnxNode): boolean {
  if (isBranching(node)) return true;
  return Object.hasOwn(lowerings, keyOf(node)) || (node.domain === '' && isFolded(node.operator));
}

/** Operators of others go by their domain too. */
function keyOf({ domain, operator }: OnnxNode): string {
  return domain === '' ? operator : `${domain}.${operator}`;
}

/** Operators that move values and change none: they do the same to integers. */
const moving: ReadonlySet<string> = new Set([
  'DepthToSpace',
  'Dropout',
  'Flatten',
  'Gather',
  'Identity',
  'MaxPool',
  'Reshape',
  'Slice',
  'SpaceToDepth',
  'Split',
  'Squeeze',
  'Transpose',
  'Unsqueeze',
]);

/** Lowers a node; one that moves quantised values as if they were not, and gives quantised ones. */
function lowerMoving(operator: OperatorNode, node: OnnxNode): readonly TraceValue[] {
  const { inputs } = operator;
  const quantized = inputs.filter((value) => isActivation(value) && value.isQuantized);
  if (quantized.length === 0 || node.domain !== '' || !moving.has(node.operator)) return lowerNode(operator, node);
  const plain = inputs.map((value) => (isActivation(value) ? { ...value, isQuantized: false } : value));
  return lowerNode(operator.reading(plain), node).map((value) =>
    isActivation(value) ? { ...value, isQuantized: true } : value,
  );
}

function lowerNode(operator: OperatorNode, node: OnnxNode): readonly TraceValue[] {
  if (node.inputs.length === 0 && node.operator !== 'Constant' && isSupported(node))
    operator.refuse('input 0 is missing');
  const folded = node.domain === '' ? foldConstants(operator) : undefined;
  if (folded !== undefined) return folded;
  const key = keyOf(node);
  if (!Object.hasOwn(lowerings, key)) return refuse();
  const lowered = lowerings[key](operator);
  return Array.isArray(lowered) ? lowered : [lowered as TraceValue];
}

function refuse(): never {
  throw new UnsupportedError('');
}
