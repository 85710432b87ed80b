import { encodeFloat32 } from '../../float32.ts';
import {
  integerTensor,
  nodeMessage,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensor,
  onnxDataType,
  tensorMessage,
  valueMessage,
} from '../_onnx-messages.ts';
import { ProtobufWriter } from '../_protobuf-writer.ts';

/** A graph in a few words. */
export interface OnnxSketch {
  /** Of the input `x`, with the batch: a name where it is free. */
  readonly shape: readonly (number | string)[];
  readonly nodes: readonly OnnxNode[];
  readonly weights?: readonly OnnxTensor[];
  /** Weights that are listed among the graph's inputs too, as old exporters do. */
  readonly listed?: readonly string[];
  /** Inputs beside `x`, of one number each. */
  readonly others?: readonly string[];
  readonly opset?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** `Conv x,k -> y` with the operator's name before what it reads. The node is named after what it writes. */
export function node(formula: string, attributes: Readonly<Record<string, OnnxAttribute>> = {}): OnnxNode {
  const [left, right] = formula.split('->').map((side) => side.trim());
  const space = `${left} `.indexOf(' ');
  const split = (names: string): string[] => (names.trim() === '' ? [] : names.split(',').map((name) => name.trim()));
  const outputs = split(right);
  return { name: outputs[0], operator: left.slice(0, space), inputs: split(left.slice(space)), outputs, attributes };
}

/** Floats as a tensor. */
export function floats(name: string, shape: readonly number[], data: Iterable<number>): OnnxTensor {
  return { name, dataType: onnxDataType.float, shape, bytes: encodeFloat32(Float32Array.from(data)) };
}

/** Integers in one row. */
export const integers: (name: string, values: readonly number[]) => OnnxTensor = integerTensor;

/** A node that gives a tensor, in place of an initializer. */
export function constantNode(tensor: OnnxTensor): ProtobufWriter {
  const value = new ProtobufWriter().text(1, 'value').message(5, tensorMessage(tensor)).integer(20, 4);
  return new ProtobufWriter()
    .text(2, tensor.name)
    .text(3, `${tensor.name}:constant`)
    .text(4, 'Constant')
    .message(5, value);
}

/** What a sketch can't say: nodes that come before the others, and tensors. */
interface RawParts {
  readonly constants?: readonly ProtobufWriter[];
  readonly tensors?: readonly ProtobufWriter[];
}

/** The file. The output is `y`, of a shape that is not said. */
export function buildOnnx(sketch: OnnxSketch, { constants = [], tensors = [] }: RawParts = {}): Uint8Array {
  const { shape, nodes, weights = [], listed = [], others = [], opset = 17, metadata = {} } = sketch;
  const graph = new ProtobufWriter();
  for (const constant of constants) graph.message(1, constant);
  for (const each of nodes) graph.message(1, nodeMessage(each));
  graph.text(2, 'sketch');
  for (const weight of weights) graph.message(5, tensorMessage(weight));
  for (const tensor of tensors) graph.message(5, tensor);
  for (const weight of weights)
    if (listed.includes(weight.name)) graph.message(11, valueMessage(weight.name, weight.shape));
  graph.message(11, valueMessage('x', shape));
  for (const other of others) graph.message(11, valueMessage(other, []));
  graph.message(12, new ProtobufWriter().text(1, 'y'));
  const message = new ProtobufWriter()
    .integer(1, 8)
    .message(7, graph)
    .message(8, new ProtobufWriter().text(1, '').integer(2, opset));
  for (const [key, text] of Object.entries(metadata))
    message.message(14, new ProtobufWriter().text(1, key).text(2, text));
  return message.toBytes();
}
