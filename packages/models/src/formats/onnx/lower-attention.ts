import { combine, scaleBy } from './broadcast.ts';
import { BOOL, broadcastConstant, broadcastShape, broadcastsTo, type Constant, FLOAT } from './constant.ts';
import { type Activation, isActivation, type TraceValue } from './graph-builder.ts';
import { softmaxAlong } from './lower-activations.ts';
import { scalar } from './lower-arithmetic.ts';
import { multiplyMatrices, permute } from './lower-dense.ts';
import { cut } from './lower-slices.ts';
import type { Lowerings, OperatorNode } from './operator-node.ts';
import { reshapeActivation } from './reshape-activation.ts';

/** What is added to scores that must not count: their exponential is 0. */
const FAR_BELOW = -(2 ** 100);

/** `[batch, length, heads x size]` as `[batch, heads, length, size]`. */
function splitHeads(node: OperatorNode, value: Activation, heads: number): Activation {
  const { shape } = value;
  if (shape.length === 4) return value;
  const [batch, length, width] = shape;
  if (shape.length !== 3 || !(heads >= 1) || width % heads !== 0)
    node.refuse(`it makes ${heads} heads of [${shape.join(', ')}]`);
  const split = reshapeActivation(node, value, [batch, length, heads, width / heads]);
  return permute(split, [0, 2, 1, 3]) as Activation;
}

interface AttentionOptions {
  readonly scale: number;
  readonly mask?: TraceValue;
  readonly isCausal: boolean;
}

/**
 * softmax(scale Q K^T + mask) V: Vaswani et al., Attention is all you need (2017), equation 1.
 *
 * @param parts Queries, keys and values, each `[batch, heads, length, size]`.
 */
function attend(
  node: OperatorNode,
  parts: readonly Activation[],
  { scale, mask, isCausal }: AttentionOptions,
): Activation {
  const [queries, keys, values] = parts;
  if (parts.some(({ shape }) => shape.length !== 4)) node.refuse('it reads no heads');
  if (queries.shape[1] !== keys.shape[1]) node.refuse('its heads share their keys');
  const product = multiplyMatrices(node, queries, permute(keys, [0, 1, 3, 2]));
  let scores = scaleBy(node, product, scalar(scale));
  const fixed = fixedMask(node, scores.shape, mask, isCausal);
  if (fixed !== undefined) {
    const summand = node.builder.constant(`${node.name}.mask`, fixed, undefined, false);
    scores = combine(node, 'add', scores, summand);
  }
  if (mask !== undefined && isActivation(mask)) scores = combine(node, 'add', scores, mask);
  return multiplyMatrices(node, softmaxAlong(node, scores, 3, false), values);
}

/** What is added to scores by what is known as the file is read. */
function fixedMask(
  node: OperatorNode,
  scores: readonly number[],
  mask: TraceValue | undefined,
  isCausal: boolean,
): Constant | undefined {
  const given = mask === undefined || isActivation(mask) ? undefined : mask;
  if (given === undefined && !isCausal) return undefined;
  const [rows, columns] = scores.slice(-2);
  const shape = broadcastShape([given?.shape ?? [], [rows, columns]]);
  if (shape === undefined || !broadcastsTo(shape, scores)) return node.refuse('its mask does not fit its scores');
  const size = node.sizeToMake(shape);
  const added = given === undefined ? undefined : broadcastConstant(given, shape).values;
  const values = Float32Array.from({ length: size }, (_, index) => {
    if (isCausal && index % columns > Math.floor(index / columns) % rows) return FAR_BELOW;
    if (given === undefined || added === undefined) return 0;
    if (given.dataType === BOOL) return added[index] === 0 ? FAR_BELOW : 0;
    return Math.max(FAR_BELOW, added[index]);
  });
  // Engines give zeros there; a softmax gives the mean of all.
  for (let row = 0; row < size; row += columns)
    if (values.subarray(row, row + columns).every((value) => value === FAR_BELOW))
      node.refuse('a row of its mask leaves nothing');
  return { shape, dataType: FLOAT, values };
}

/** `[batch, heads, length, size]` as `[batch, length, heads x size]`. */
function joinHeads(node: OperatorNode, value: Activation): Activation {
  const [batch, heads, length, size] = value.shape;
  return reshapeActivation(node, permute(value, [0, 2, 1, 3]) as Activation, [batch, length, heads * size]);
}

/** By which scores are multiplied; 0 stands for the usual one in onnxruntime's operators. */
function scaleOf(node: OperatorNode, { shape }: Activation): number {
  return node.number('scale', 0) || 1 / Math.sqrt(shape[3]);
}

function refuseInputs(node: OperatorNode, from: number): void {
  if (node.inputs.slice(from).some((value) => value !== undefined)) node.refuse('it has a mask, or keeps keys');
}

export const lowerAttention: Lowerings = {
  Attention(node) {
    if (node.number('softcap', 0) !== 0) node.refuse('it bends its scores');
    for (const window of ['left_window_size', 'right_window_size'])
      if (node.number(window, -1) >= 0) node.refuse('it looks through a window');
    if (node.inputs.slice(4).some((value) => value !== undefined)) node.refuse('it keeps keys');
    const [queryHeads, otherHeads] = [node.number('q_num_heads', 0), node.number('kv_num_heads', 0)];
    const parts = [queryHeads, otherHeads, otherHeads].map((heads, index) =>
      splitHeads(node, node.operand(index), heads),
    );
    const result = attend(node, parts, {
      scale: scaleOf(node, parts[0]),
      mask: node.inputs[3] === undefined ? undefined : node.input(3),
      isCausal: node.number('is_causal', 0) !== 0,
    });
    return node.input(0).shape.length === 3 ? joinHeads(node, result) : result;
  },

  /** Weights for queries, keys and values are one matrix: onnxruntime's. */
  'com.microsoft.Attention'(node) {
    refuseInputs(node, 3);
    const weights = node.constant(1);
    const sizes = node.numbers('qkv_hidden_sizes') ?? Array<number>(3).fill(weights.shape[1] / 3);
    const product = multiplyMatrices(node, node.input(0), weights);
    const bias = node.optionalConstant(2);
    const sum = bias === undefined ? product : scaleBy(node, product, undefined, bias);
    let begin = 0;
    const parts = sizes.map((size) => {
      const part = cut(node, sum, 2, { begin, size });
      begin += size;
      return splitHeads(node, part, node.number('num_heads', 1));
    });
    if (parts.length !== 3 || begin !== weights.shape[1]) node.refuse('its weights are not of three parts');
    const isCausal = node.number('unidirectional', 0) !== 0;
    return joinHeads(node, attend(node, parts, { scale: scaleOf(node, parts[0]), isCausal }));
  },

  /** Of queries, keys and values that are made before it: onnxruntime's. */
  'com.microsoft.MultiHeadAttention'(node) {
    refuseInputs(node, 4);
    const bias = node.optionalConstant(3);
    let begin = 0;
    const parts = [0, 1, 2].map((index) => {
      const value = node.activation(index);
      const size = value.shape[2];
      if (value.shape.length !== 3) node.refuse('its heads are apart');
      const row = bias && { ...bias, shape: [size], values: bias.values.slice(begin, begin + size) };
      begin += size;
      const sum = row === undefined ? value : scaleBy(node, value, undefined, row);
      return splitHeads(node, sum, node.number('num_heads', 1));
    });
    if (bias !== undefined && bias.values.length !== begin) node.refuse('its bias does not fit its parts');
    const isCausal = node.number('unidirectional', 0) !== 0;
    return joinHeads(node, attend(node, parts, { scale: scaleOf(node, parts[0]), isCausal }));
  },
};
