import { showValue } from '@dafl/core';
import type { Reject } from '../_reject.ts';
import { decodeTensor } from './decode-tensor.ts';
import { foldConstants, isFolded } from './fold-constants.ts';
import { type Activation, type GraphBuilder, isActivation, type TraceValue } from './graph-builder.ts';
import { lowerActivations } from './lower-activations.ts';
import { lowerArithmetic } from './lower-arithmetic.ts';
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
import type { OnnxModel, OnnxNode, OnnxTensor } from './parse-onnx.ts';
import { UnsupportedError } from './unsupported-error.ts';

/** By operator of ONNX's own domain. */
const lowerings: Lowerings = {
  ...lowerActivations,
  ...lowerArithmetic,
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

/**
 * Turns the nodes that a tensor needs into dafl's. Those that can't be are all named at once.
 */
export function lowerGraph(model: OnnxModel, options: LoweringOptions, reject: Reject): LoweredGraph {
  const { builder, siblings } = options;
  const initializers = new Map(model.initializers.map((tensor) => [tensor.name, tensor]));
  const values = new Map<string, TraceValue | typeof unknown>([[options.inputName, options.input]]);
  const readers = new Map<string, number>();
  for (const name of model.nodes.flatMap((node) => node.inputs)) readers.set(name, (readers.get(name) ?? 0) + 1);
  const decode = (tensor: OnnxTensor) => decodeTensor(tensor, siblings, reject);
  const find = (name: string): TraceValue | typeof unknown => {
    const known = values.get(name);
    if (known !== undefined) return known;
    const tensor = initializers.get(name);
    if (tensor === undefined) return reject('each node must read what stands before it', showValue(name));
    const constant = decode(tensor);
    // What is read once is not kept: weights are large.
    if ((readers.get(name) ?? 0) > 1) values.set(name, constant);
    return constant;
  };
  const refused: string[] = [];
  for (const node of nodesBefore(model, options.outputName)) {
    const inputs = node.inputs.map((name) => (name === '' ? undefined : find(name)));
    let results: readonly (TraceValue | typeof unknown)[];
    try {
      // What can't be known for want of another node is not held against a node that could be read.
      if (inputs.includes(unknown)) results = isSupported(node) ? [] : refuse();
      else
        results = lowerNode(
          new OperatorNode(node, inputs as (TraceValue | undefined)[], builder, model.opset, decode),
          node,
        );
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error;
      const operator = node.domain === '' ? node.operator : `${node.domain}.${node.operator}`;
      refused.push(`${operator} ${showValue(node.name || node.outputs[0])}${error.message && ` (${error.message})`}`);
      results = [];
    }
    for (const [index, name] of node.outputs.entries()) {
      if (name === '') continue;
      if (values.has(name)) reject('each tensor must be made once', showValue(name));
      values.set(name, results[index] ?? unknown);
    }
  }
  if (refused.length > 0) {
    reject(
      'its nodes must be ones that this version of dafl can turn into its own',
      `${refused.length === 1 ? 'one is not' : `${refused.length} are not`}: ${refused.join(', ')}`,
    );
  }
  const output = find(options.outputName);
  if (output === unknown || !isActivation(output) || output.isQuantized)
    return reject('its output must depend on its input', showValue(options.outputName));
  return { builder, output };
}

function isSupported(node: OnnxNode): boolean {
  return node.domain === '' && (Object.hasOwn(lowerings, node.operator) || isFolded(node.operator));
}

function lowerNode(operator: OperatorNode, node: OnnxNode): readonly TraceValue[] {
  if (node.domain === '') {
    if (node.inputs.length === 0 && node.operator !== 'Constant' && isSupported(node))
      operator.refuse('input 0 is missing');
    const folded = foldConstants(operator);
    if (folded !== undefined) return folded;
    if (Object.hasOwn(lowerings, node.operator)) {
      const lowered = lowerings[node.operator](operator);
      return Array.isArray(lowered) ? lowered : [lowered as TraceValue];
    }
  }
  return refuse();
}

function refuse(): never {
  throw new UnsupportedError('');
}
