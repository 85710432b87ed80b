import type { OnnxAttribute, OnnxGraph, OnnxNode } from './parse-onnx.ts';

type Attributes = Readonly<Record<string, OnnxAttribute>>;

/** Activations behind fused operators, with what their parameters are called. */
const activations: Readonly<Record<string, readonly string[]>> = {
  Relu: [],
  Sigmoid: [],
  Tanh: [],
  LeakyRelu: ['alpha'],
  Clip: ['min', 'max'],
  HardSigmoid: ['alpha', 'beta'],
};

/** What operators of onnxruntime's own are in ONNX's; undefined where they are nothing that is known. */
const expansions: Readonly<Record<string, (node: OnnxNode) => OnnxNode[] | undefined>> = {
  Gelu: (node) => [{ ...node, domain: '' }],

  /** With a bias that may be left out. */
  FastGelu(node) {
    const [input, bias = ''] = node.inputs;
    const gelu = { ...node, domain: '', operator: 'Gelu', attributes: new Map([['approximate', 'tanh']]) };
    if (bias === '') return [{ ...gelu, inputs: [input] }];
    const sum = step(node, 'Add', [input, bias], 'sum');
    return [sum, { ...gelu, inputs: sum.outputs }];
  },

  /** x sigmoid(alpha x). */
  QuickGelu(node) {
    const [input] = node.inputs;
    const alpha = constant(node, Number(node.attributes.get('alpha') ?? 1.702), 'alpha');
    const product = step(node, 'Mul', [input, ...alpha.outputs], 'product');
    const gate = step(node, 'Sigmoid', product.outputs, 'gate');
    return [alpha, product, gate, spelt(node, 'Mul', [input, ...gate.outputs])];
  },

  BiasGelu(node) {
    const sum = step(node, 'Add', node.inputs, 'sum');
    return [sum, spelt(node, 'Gelu', sum.outputs)];
  },

  SkipLayerNormalization: (node) => normalizeSum(node, 'LayerNormalization'),
  SkipSimplifiedLayerNormalization: (node) => normalizeSum(node, 'SimplifiedLayerNormalization'),

  /** A Gemm and an activation. */
  FusedGemm(node) {
    const names = ['activation_alpha', 'activation_beta', 'activation_gamma'];
    const activation = activationOf(
      node,
      names.map((name) => node.attributes.get(name)),
    );
    if (activation === undefined) return undefined;
    const gemm = step(node, 'Gemm', node.inputs, 'gemm', node.attributes);
    return [gemm, { ...activation, inputs: gemm.outputs }];
  },

  /** Of maps that have their channels last. */
  NhwcMaxPool(node) {
    const first = step(node, 'Transpose', node.inputs, 'maps', new Map([['perm', [0, 3, 1, 2]]]));
    const pooled = step(node, 'MaxPool', first.outputs, 'pooled', node.attributes);
    const last: OnnxNode = {
      ...spelt(node, 'Transpose', pooled.outputs),
      attributes: new Map([['perm', [0, 2, 3, 1]]]),
    };
    return [first, pooled, last];
  },

  /** What onnxruntime makes of MatMul where only the weights are integers. */
  DynamicQuantizeMatMul(node) {
    const [input, weights, scale, point = '', bias = ''] = node.inputs;
    const [whole, factor, zero] = ['whole', 'factor', 'zero'].map((result) => `${node.outputs[0] ?? ''}\0${result}`);
    const quantized: OnnxNode = { ...spelt(node, 'DynamicQuantizeLinear', [input]), outputs: [whole, factor, zero] };
    const product = step(node, 'MatMulInteger', [whole, weights, zero, point], 'product');
    const scales = step(node, 'Mul', [factor, scale], 'scales');
    const floats = bias === '' ? undefined : step(node, 'Mul', [...product.outputs, ...scales.outputs], 'floats');
    const last =
      floats === undefined
        ? spelt(node, 'Mul', [...product.outputs, ...scales.outputs])
        : spelt(node, 'Add', [...floats.outputs, bias]);
    return [quantized, product, scales, ...(floats === undefined ? [] : [floats]), last];
  },

  /** A convolution, a summand that may be left out, and an activation. */
  FusedConv(node) {
    const [input, kernel, bias = '', summand = ''] = node.inputs;
    const given = node.attributes.get('activation_params') ?? [];
    const activation = Array.isArray(given) ? activationOf(node, given) : undefined;
    if (activation === undefined) return undefined;
    const convolution = step(node, 'Conv', [input, kernel, bias], 'convolution', node.attributes);
    const sum = summand === '' ? [] : [step(node, 'Add', [...convolution.outputs, summand], 'sum')];
    const [last] = sum.length > 0 ? sum : [convolution];
    return [convolution, ...sum, { ...activation, inputs: last.outputs, outputs: node.outputs }];
  },
};

/** Spells out, in ONNX's own operators, what onnxruntime's optimizer joins. Others stay as they are. */
export function expandFused<Graph extends OnnxGraph>(graph: Graph): Graph {
  const nodes = graph.nodes.flatMap((node) => {
    const isKnown = node.domain === 'com.microsoft' && Object.hasOwn(expansions, node.operator);
    return (isKnown ? expansions[node.operator](node) : undefined) ?? [node];
  });
  return { ...graph, nodes };
}

/** A node before the last, whose result has a name that no exporter writes. */
function step(
  { name, outputs }: OnnxNode,
  operator: string,
  inputs: readonly string[],
  result: string,
  attributes: OnnxNode['attributes'] = new Map(),
): OnnxNode {
  return { name, operator, domain: '', inputs, outputs: [`${outputs[0] ?? ''}\0${result}`], attributes };
}

/** An operator of ONNX's own in place of another, without its attributes. */
function spelt(node: OnnxNode, operator: string, inputs: readonly string[]): OnnxNode {
  return { ...node, operator, domain: '', inputs, attributes: new Map() };
}

function constant(node: OnnxNode, value: number, result: string): OnnxNode {
  return step(node, 'Constant', [], result, new Map([['value_float', value]]));
}

/** What is added to a tensor, and a bias, before they are normalised; the sum may be given too. */
function normalizeSum(node: OnnxNode, operator: string): OnnxNode[] | undefined {
  const isCentred = operator === 'LayerNormalization';
  const [input, skip, scale] = node.inputs;
  const [offset = '', bias = ''] = isCentred ? node.inputs.slice(3) : ['', ...node.inputs.slice(3)];
  const [output, , , given = ''] = node.outputs;
  const added = step(node, 'Add', [input, skip], 'added');
  const sum = bias === '' ? added : step(node, 'Add', [...added.outputs, bias], 'sum');
  const normal: OnnxNode = {
    ...spelt(node, operator, [...sum.outputs, scale, ...(offset === '' ? [] : [offset])]),
    outputs: [output],
    attributes: new Map([['epsilon', node.attributes.get('epsilon') ?? 1e-12]]),
  };
  const passed = given === '' ? [] : [{ ...spelt(node, 'Identity', sum.outputs), outputs: [given] }];
  return [added, ...(sum === added ? [] : [sum]), normal, ...passed];
}

/** @param given Its parameters. */
function activationOf(node: OnnxNode, given: readonly OnnxAttribute[]): OnnxNode | undefined {
  const operator = node.attributes.get('activation');
  if (typeof operator !== 'string' || !Object.hasOwn(activations, operator)) return undefined;
  const parameters: Attributes = Object.fromEntries(
    activations[operator].flatMap((name, index) => (given[index] === undefined ? [] : [[name, given[index]]])),
  );
  return { ...node, operator, domain: '', attributes: new Map(Object.entries(parameters)) };
}
