import type { HostTensor } from '@dafl/core';
import { encodeFloat32 } from '../float32.ts';
import { ProtobufWriter } from './_protobuf-writer.ts';

/**
 * The messages of ONNX that dafl writes. Field numbers and enums: `onnx/onnx.proto3` of <https://github.com/onnx/onnx>.
 */

/** TensorProto.DataType. */
export const onnxDataType = { float: 1, uint8: 2, int8: 3, int32: 6, int64: 7 } as const;

/** AttributeProto.AttributeType. */
const attributeType = { float: 1, integer: 2, text: 3, integers: 7 } as const;

/** The value of a node's attribute; `{ float }` because 1 alone says not whether it is an integer. */
export type OnnxAttribute = number | string | readonly number[] | { readonly float: number };

/** A tensor as stored in a file. */
export interface OnnxTensor {
  readonly name: string;
  readonly dataType: number;
  readonly shape: readonly number[];
  /** Row-major, little-endian. */
  readonly bytes: Uint8Array;
}

/** Float32 values as a tensor of a file. */
export function floatTensor(name: string, values: HostTensor): OnnxTensor {
  return { name, dataType: onnxDataType.float, shape: values.shape, bytes: encodeFloat32(values.data) };
}

/** Integers in one row, as shapes and paddings are given. */
export function integerTensor(name: string, values: readonly number[]): OnnxTensor {
  const bytes = new Uint8Array(8 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => view.setBigInt64(8 * index, BigInt(value), true));
  return { name, dataType: onnxDataType.int64, shape: [values.length], bytes };
}

/** TensorProto. */
export function tensorMessage(tensor: OnnxTensor): ProtobufWriter {
  const message = new ProtobufWriter();
  for (const size of tensor.shape) message.integer(1, size);
  return message.integer(2, tensor.dataType).text(8, tensor.name).bytes(9, tensor.bytes);
}

/** One operator of a file's graph. */
export interface OnnxNode {
  /** Empty: none. */
  readonly name: string;
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** NodeProto. */
export function nodeMessage(node: OnnxNode): ProtobufWriter {
  const message = new ProtobufWriter();
  for (const name of node.inputs) message.text(1, name);
  for (const name of node.outputs) message.text(2, name);
  if (node.name !== '') message.text(3, node.name);
  message.text(4, node.operator);
  for (const [name, value] of Object.entries(node.attributes)) message.message(5, attributeMessage(name, value));
  return message;
}

function attributeMessage(name: string, value: OnnxAttribute): ProtobufWriter {
  const message = new ProtobufWriter().text(1, name);
  if (typeof value === 'number') return message.integer(3, value).integer(20, attributeType.integer);
  if (typeof value === 'string') return message.text(4, value).integer(20, attributeType.text);
  if ('float' in value) return message.float(2, value.float).integer(20, attributeType.float);
  for (const item of value) message.integer(8, item);
  return message.integer(20, attributeType.integers);
}

/** ValueInfoProto of float32 values. @param shape A name stands for a size that is free. */
export function valueMessage(name: string, shape: readonly (number | string)[]): ProtobufWriter {
  const shapeMessage = new ProtobufWriter();
  for (const size of shape) {
    const dimension = new ProtobufWriter();
    if (typeof size === 'number') dimension.integer(1, size);
    else dimension.text(2, size);
    shapeMessage.message(1, dimension);
  }
  const tensorType = new ProtobufWriter().integer(1, onnxDataType.float).message(2, shapeMessage);
  return new ProtobufWriter().text(1, name).message(2, new ProtobufWriter().message(1, tensorType));
}
