import type { OnnxAttribute, OnnxGraph, OnnxNode } from './parse-onnx.ts';

/** A tensor of integers with its scale and its zero point, by name. */
type Quantized = readonly [values: string, scale: string, point: string];

/** What an operator of integers is, in its floats. */
interface Spelling {
  readonly operator: string;
  /** What it reads, each dequantised along an axis where it has several scales. */
  readonly reads: readonly { readonly tensor: Quantized; readonly axis?: number }[];
  /** A bias of int32, whose scale is the product of those of the first two tensors. */
  readonly bias?: string;
  /** What that scale is multiplied by; absent: 1. */
  readonly biasFactor?: number;
  /** Scale and zero point of what it writes; absent: it writes floats. */
  readonly writes?: readonly [scale: string, point: string];
  /** Whether its maps have their channels last, which operators of floats do not read. */
  readonly isChannelsLast?: boolean;
}

const MICROSOFT = 'com.microsoft';

type Speller = (node: OnnxNode) => Spelling | undefined;

const take = ({ inputs }: OnnxNode, first: number): Quantized => [
  inputs[first] ?? '',
  inputs[first + 1] ?? '',
  inputs[first + 2] ?? '',
];

/** Of one tensor: `x, scale, point, scale, point`. */
const ofOne =
  (operator: string): Speller =>
  (node) => ({
    operator,
    reads: [{ tensor: take(node, 0) }],
    writes: [node.inputs[3] ?? '', node.inputs[4] ?? ''],
  });

/** Of two tensors: `a, scale, point, b, scale, point, scale, point`. */
const ofTwo =
  (operator: string, axis?: number): Speller =>
  (node) => ({
    operator,
    reads: [{ tensor: take(node, 0) }, { tensor: take(node, 3), axis }],
    writes: [node.inputs[6] ?? '', node.inputs[7] ?? ''],
  });

/** Of maps, the channels of which may be last. */
const ofMaps =
  (spell: Speller): Speller =>
  (node) => {
    const spelling = spell(node);
    return spelling && { ...spelling, isChannelsLast: (node.attributes.get('channels_last') ?? 0) !== 0 };
  };

/** ONNX's own. */
const standard: Readonly<Record<string, Speller>> = {
  QLinearConv: (node) => ({ ...ofTwo('Conv', 0)(node)!, bias: node.inputs[8] }),
  QLinearMatMul: ofTwo('MatMul', -1),
};

/** Those that onnxruntime adds. */
const microsoft: Readonly<Record<string, Speller>> = {
  QLinearConv: ofMaps(standard['QLinearConv']),
  QLinearAdd: ofTwo('Add'),
  QLinearMul: ofTwo('Mul'),
  QLinearSigmoid: ofOne('Sigmoid'),
  QLinearLeakyRelu: ofOne('LeakyRelu'),
  QLinearSoftmax: ofOne('Softmax'),
  QLinearReduceMean: ofOne('ReduceMean'),
  QLinearAveragePool: ofMaps(ofOne('AveragePool')),
  QLinearGlobalAveragePool: ofMaps(ofOne('GlobalAveragePool')),

  QLinearConcat(node) {
    const count = Math.floor((node.inputs.length - 2) / 3);
    const reads = Array.from({ length: Math.max(0, count) }, (_, index) => ({ tensor: take(node, 2 + 3 * index) }));
    return { operator: 'Concat', reads, writes: [node.inputs[0] ?? '', node.inputs[1] ?? ''] };
  },

  QGemm(node) {
    const { inputs } = node;
    const axis = (node.attributes.get('transB') ?? 0) === 0 ? 1 : 0;
    return {
      operator: 'Gemm',
      reads: [{ tensor: take(node, 0) }, { tensor: take(node, 3), axis }],
      bias: inputs[6],
      biasFactor: Number(node.attributes.get('alpha') ?? 1),
      ...((inputs[7] ?? '') !== '' && { writes: [inputs[7], inputs[8] ?? ''] as const }),
    };
  },
};

/**
 * Spells operators of integers out as onnxruntime's other form does: what they read is dequantised, what they write is
 * quantised, and between them stands the operator of floats. Others stay as they are.
 */
export function expandQuantized<Graph extends OnnxGraph>(graph: Graph): Graph {
  const isOne = graph.nodes.some((node) => spellerOf(node) !== undefined);
  return isOne ? { ...graph, nodes: graph.nodes.flatMap(expand) } : graph;
}

function spellerOf({ domain, operator }: OnnxNode): Speller | undefined {
  const table = domain === '' ? standard : domain === MICROSOFT ? microsoft : {};
  return Object.hasOwn(table, operator) ? table[operator] : undefined;
}

function expand(node: OnnxNode): OnnxNode[] {
  const spelling = spellerOf(node)?.(node);
  if (spelling === undefined) return [node];
  const { operator, reads, bias = '', biasFactor = 1, writes, isChannelsLast = false } = spelling;
  const made: OnnxNode[] = [];
  const [output = ''] = node.outputs;
  /** Adds a node whose result has a name that no exporter writes. */
  const add = (
    kind: string,
    inputs: readonly string[],
    attributes: readonly [string, OnnxAttribute][] = [],
  ): string => {
    const name = `${output}\0${made.length}`;
    made.push({
      name: node.name,
      operator: kind,
      domain: '',
      inputs,
      outputs: [name],
      attributes: new Map(attributes),
    });
    return name;
  };
  const inputs = reads.map(({ tensor, axis }) =>
    add('DequantizeLinear', tensor, axis === undefined ? [] : [['axis', axis]]),
  );
  if (isChannelsLast) inputs[0] = add('Transpose', inputs.slice(0, 1), [['perm', [0, 3, 1, 2]]]);
  if (bias !== '') {
    const both = add(
      'Mul',
      reads.map(({ tensor }) => tensor[1]),
    );
    const scale = biasFactor === 1 ? both : add('Mul', [both, add('Constant', [], [['value_float', biasFactor]])]);
    inputs.push(add('DequantizeLinear', [bias, scale], [['axis', 0]]));
  }
  // Softmax says by which version it goes.
  const opset = node.attributes.get('opset');
  const spelt: OnnxNode = { ...node, operator, domain: '', inputs, ...(typeof opset === 'number' && { opset }) };
  if (writes === undefined) return [...made, spelt];
  const float = `${output}\0float`;
  const maps = `${output}\0maps`;
  const quantize = {
    ...node,
    operator: 'QuantizeLinear',
    domain: '',
    inputs: [float, ...writes],
    attributes: new Map(),
  };
  if (!isChannelsLast) return [...made, { ...spelt, outputs: [float] }, quantize];
  const back: OnnxNode = {
    ...node,
    operator: 'Transpose',
    domain: '',
    inputs: [maps],
    outputs: [float],
    attributes: new Map([['perm', [0, 2, 3, 1]]]),
  };
  return [...made, { ...spelt, outputs: [maps] }, back, quantize];
}
