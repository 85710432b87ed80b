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

  /** A convolution, a summand that may be left out, and an activation. */
  FusedConv(node) {
    const [input, kernel, bias = '', summand = ''] = node.inputs;
    const activation = activationOf(node);
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

function activationOf(node: OnnxNode): OnnxNode | undefined {
  const operator = node.attributes.get('activation');
  const given = node.attributes.get('activation_params') ?? [];
  if (typeof operator !== 'string' || !Object.hasOwn(activations, operator) || !Array.isArray(given)) return undefined;
  const parameters: Attributes = Object.fromEntries(
    activations[operator].flatMap((name, index) => (given[index] === undefined ? [] : [[name, given[index]]])),
  );
  return { ...node, operator, domain: '', attributes: new Map(Object.entries(parameters)) };
}
