import { fail, type HostTensor, inferShapes, type Model, takeLogits, validateModel } from '@dafl/core';
import type { Quantization } from '../../quantization/quantized-model.ts';
import { compactGraph } from './_compact-graph.ts';
import { emitNode } from './_emit-node.ts';
import { emitBytes, type KernelQuantization } from './_emit-quantized.ts';
import { OnnxGraphBuilder, type OnnxValue, storedShape } from './_onnx-graph-builder.ts';
import { nodeMessage, tensorMessage, valueMessage } from './_onnx-messages.ts';
import { ProtobufWriter } from './_protobuf-writer.ts';
import { REORDERED_KEY, reorderFlattening } from './reorder-flattening.ts';

/** Options of `writeOnnx`. */
export interface WriteOnnxOptions {
  /** Order of the input's axes: `'nchw'` as most ONNX models have it, or `'nhwc'`. Default `'nchw'`. */
  readonly layout?: 'nchw' | 'nhwc';
  /** Whether the graph takes pixels in 0..255 (as float32) and preprocesses them itself. Default false. */
  readonly includesPreprocessing?: boolean;
  /** Whether it gives `probabilities` instead of `logits`. Default false. */
  readonly includesSoftmax?: boolean;
  /** Of a model in eight bits: weights and activations are written as integers (QDQ). Default: float32. */
  readonly quantization?: Quantization;
}

/** What runs opset 17: everything since mid 2022. */
const OPSET = 17;
const IR_VERSION = 8;
/** Protocol buffers have no messages of 2 GiB. */
const MOST_BYTES = 2 ** 31 - 1;
const INPUT = 'input';

/**
 * Writes a model as one ONNX file: opset 17, IR 8, float32, any batch size (`N`), images channels first inside. The
 * input is called `input`; each output has its role in the graph for a name (`logits`), but for `features`, which only
 * training reads. Class names, preprocessing and the layout stand in the metadata, the first two as JSON.
 *
 * @throws {DaflError} `MODEL` if the model is not sound, takes 2 GiB, or has no preprocessing or logits to include.
 * @example
 * ```ts
 * await writeFile('student.onnx', writeOnnx(student, { includesSoftmax: true }));
 * ```
 */
export function writeOnnx(given: Model, options: WriteOnnxOptions = {}): Uint8Array<ArrayBuffer> {
  validateModel(given);
  const { model, changed } = reorderFlattening(given, 'chw');
  const { layout = 'nchw', includesPreprocessing = false, includesSoftmax = false, quantization } = options;
  const graph = includesSoftmax ? takeLogits(model.graph).graph : model.graph;
  const reject = (rule: string, value: string): never => {
    fail({ code: 'MODEL', cannot: `write model '${graph.name}'`, as: `ONNX as ${rule}`, value });
  };
  const roles = Object.entries(graph.outputs).filter(([role]) => role !== 'features');
  if (includesSoftmax && graph.outputs.logits === undefined)
    reject("softmax needs an output 'logits'", `[${Object.keys(graph.outputs).join(', ')}]`);

  const outputNames = roles.map(([role]) => (role === 'logits' && includesSoftmax ? 'probabilities' : role));
  const shapes = inferShapes(graph);
  const isTurned = (name: string): boolean => layout === 'nhwc' && shapes.get(name)?.output.length === 3;
  // Nodes that give an output as it is; the others need an operator behind them.
  const direct = new Map<string, string>();
  const operators = new Set(graph.nodes.flatMap(({ name, kind }) => (kind === 'constant' ? [] : [name])));
  for (const [index, [role, name]] of roles.entries()) {
    if (role === outputNames[index] && operators.has(name) && !direct.has(name) && !isTurned(name))
      direct.set(name, role);
  }
  const builder = new OnnxGraphBuilder(direct, [INPUT, ...outputNames]);
  const input = emitInput(model, { layout, includesPreprocessing }, builder, reject);
  /** What nodes read of a value. */
  const values = new Map<string, OnnxValue>();
  /** What leaves the graph, where it is read as bytes inside. */
  const exact = new Map<string, OnnxValue>();
  const keep = (name: string, value: OnnxValue): void => {
    exact.set(name, value);
    const byteScale = quantization?.byteScales.get(name);
    values.set(name, byteScale === undefined ? value : { ...value, name: emitBytes(builder, value.name, byteScale) });
  };
  keep('input', input);
  const reads = new Set(graph.nodes.flatMap(({ inputs }) => inputs));
  const kernelQuantization = (name: string): KernelQuantization | undefined => {
    const scales = quantization?.kernelScales.get(name);
    return scales === undefined ? undefined : { scales, givesBytes: reads.has(name) };
  };
  for (const node of graph.nodes) {
    const name = direct.has(node.name) ? node.name : builder.name(node.name);
    const { output: shape } = shapes.get(node.name)!;
    const inputs = node.inputs.map((read) => values.get(read)!);
    emitNode(
      { ...node, name },
      {
        builder,
        inputs,
        outputShape: shape,
        weight: (weightName): HostTensor => model.weights.get(`${node.name}.${weightName}`)!,
        isQuantized: quantization !== undefined,
        kernelQuantization: kernelQuantization(node.name),
      },
    );
    keep(node.name, {
      name: direct.get(node.name) ?? name,
      shape,
      isFixed: inputs.every(({ isFixed }) => isFixed),
    });
  }

  const outputs = roles.map(([role, nodeName], index) => {
    const value = exact.get(nodeName)!;
    const output = outputNames[index];
    const turned = isTurned(nodeName);
    if (turned) builder.emit('Transpose', [value.name], output, { perm: [0, 2, 3, 1] });
    else if (role !== output) builder.emit('Softmax', [value.name], output, { axis: -1 });
    else if (direct.get(nodeName) !== role) builder.emit('Identity', [value.name], output);
    return valueMessage(output, ['N', ...(turned ? value.shape : storedShape(value.shape))]);
  });

  const graphMessage = new ProtobufWriter();
  // A model is quantised to be small.
  const kept = new Set([INPUT, ...outputNames, ...(quantization?.kernelScales.keys() ?? [])]);
  const { nodes, tensors } = quantization === undefined ? builder : compactGraph(builder, kept);
  for (const node of nodes) graphMessage.message(1, nodeMessage(node));
  graphMessage.text(2, graph.name);
  for (const tensor of tensors) graphMessage.message(5, tensorMessage(tensor));
  const inputShape = layout === 'nhwc' ? graph.inputShape : storedShape(graph.inputShape);
  graphMessage.message(11, valueMessage(INPUT, ['N', ...inputShape]));
  for (const output of outputs) graphMessage.message(12, output);

  const message = new ProtobufWriter()
    .integer(1, IR_VERSION)
    .text(2, 'dafl')
    .message(7, graphMessage)
    .message(8, new ProtobufWriter().text(1, '').integer(2, OPSET));
  for (const [key, text] of metadataOf(model, { layout, includesPreprocessing }, changed)) {
    message.message(14, new ProtobufWriter().text(1, key).text(2, text));
  }
  if (message.byteLength > MOST_BYTES)
    reject(`the file must have at most ${MOST_BYTES} bytes`, String(message.byteLength));
  return message.toBytes();
}

type InputOptions = Required<Pick<WriteOnnxOptions, 'layout' | 'includesPreprocessing'>>;

/** Brings what the file takes to what the first node reads. */
function emitInput(
  { graph }: Model,
  { layout, includesPreprocessing }: InputOptions,
  builder: OnnxGraphBuilder,
  reject: (rule: string, value: string) => never,
): OnnxValue {
  const shape = graph.inputShape;
  let name = INPUT;
  if (layout === 'nhwc' && shape.length === 3)
    name = builder.step('Transpose', [name], `${INPUT}:nchw`, { perm: [0, 3, 1, 2] });
  if (includesPreprocessing) {
    const { preprocessing } = graph;
    if (preprocessing === undefined)
      return reject("preprocessing can only be inside where the model has 'preprocessing'", 'undefined');
    const { mean, standardDeviation } = preprocessing;
    const rank = shape.length;
    name = builder.step('Div', [name, builder.scalar(`${INPUT}:range`, 255)], `${INPUT}:scaled`);
    name = builder.step('Sub', [name, builder.channels(`${INPUT}:mean`, mean, rank)], `${INPUT}:centred`);
    name = builder.step(
      'Div',
      [name, builder.channels(`${INPUT}:deviation`, standardDeviation, rank)],
      `${INPUT}:preprocessed`,
    );
  }
  return { name, shape, isFixed: false };
}

function metadataOf(
  { graph }: Model,
  { layout, includesPreprocessing }: InputOptions,
  reordered: readonly string[],
): [string, string][] {
  const entries: [string, string][] = [['layout', layout]];
  if (graph.preprocessing !== undefined) {
    const { resize, mean, standardDeviation } = graph.preprocessing;
    // Where the graph does it itself, only the size is left to the caller.
    const rest = includesPreprocessing
      ? { resize, range: [0, 255] }
      : { resize, range: [0, 1], mean, standardDeviation };
    entries.push(['preprocessing', JSON.stringify(rest)]);
  }
  if (reordered.length > 0) entries.push([REORDERED_KEY, JSON.stringify(reordered)]);
  if (graph.classNames !== undefined) entries.push(['class_names', JSON.stringify(graph.classNames)]);
  return entries;
}
