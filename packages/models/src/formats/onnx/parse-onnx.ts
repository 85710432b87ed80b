import { showValue } from '@dafl/core';
import type { Reject } from '../_reject.ts';
import { type ProtobufField, readFields, readFloats, readIntegers, readText } from './_protobuf-reader.ts';

/** A tensor as the file has it. */
export interface OnnxTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Number of the type in `TensorProto.DataType`. */
  readonly dataType: number;
  /** Content, little-endian; undefined where it lies in the typed fields or in another file. */
  readonly raw?: Uint8Array;
  /** Values of `float_data`, `int32_data`, `int64_data`, `double_data` or `uint64_data`. */
  readonly values: readonly number[];
  /** Keys of `external_data`, for content that lies in another file. */
  readonly external?: ReadonlyMap<string, string>;
}

/** An attribute's value. Graphs are not read: no operator that is supported has one. */
export type OnnxAttribute = number | string | readonly number[] | readonly string[] | OnnxTensor | undefined;

/** One step of the graph. */
export interface OnnxNode {
  readonly name: string;
  readonly operator: string;
  /** `''` for ONNX's own operators. */
  readonly domain: string;
  /** `''` where an optional input is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

/** Name and shape of an input or output; a size without a number is undefined. */
export interface OnnxValue {
  readonly name: string;
  readonly shape?: readonly (number | undefined)[];
}

/** What is used of a `ModelProto`. */
export interface OnnxModel {
  readonly irVersion: number;
  readonly producer: string;
  /** Version of ONNX's own operators. */
  readonly opset: number;
  readonly graphName: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly metadata: ReadonlyMap<string, string>;
}

/** Reads an ONNX file, without making anything of it. Content of tensors is not copied. */
export function parseOnnx(bytes: Uint8Array, reject: Reject): OnnxModel {
  let irVersion = 0;
  let producer = '';
  let graph: Uint8Array | undefined;
  let opset: number | undefined;
  const metadata = new Map<string, string>();
  for (const field of readFields(bytes, reject)) {
    if (field.number === 1) irVersion = Number(field.varint);
    else if (field.number === 2) producer = readText(field, reject);
    else if (field.number === 7) graph = messageOf(field, reject);
    else if (field.number === 8) {
      const { 1: domain = '', 2: version = 0 } = readPair(field, reject);
      if (domain === '' || domain === 'ai.onnx') opset = Number(version);
    } else if (field.number === 14) {
      const { 1: key = '', 2: value = '' } = readPair(field, reject);
      metadata.set(String(key), String(value));
    }
  }
  if (graph === undefined) return reject('it must hold a graph', 'none');
  // IR 3 has the opset; it must be there.
  if (opset === undefined) return reject('it must say the version of its operators (opset)', 'none');
  return { irVersion, producer, opset, metadata, ...parseGraph(graph, reject) };
}

function parseGraph(
  bytes: Uint8Array,
  reject: Reject,
): Pick<OnnxModel, 'graphName' | 'nodes' | 'initializers' | 'inputs' | 'outputs'> {
  let graphName = '';
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  const inputs: OnnxValue[] = [];
  const outputs: OnnxValue[] = [];
  for (const field of readFields(bytes, reject)) {
    if (field.number === 1) nodes.push(parseNode(messageOf(field, reject), reject));
    else if (field.number === 2) graphName = readText(field, reject);
    else if (field.number === 5) initializers.push(parseTensor(messageOf(field, reject), reject));
    else if (field.number === 11) inputs.push(parseValue(messageOf(field, reject), reject));
    else if (field.number === 12) outputs.push(parseValue(messageOf(field, reject), reject));
    else if (field.number === 15) reject('its weights must be dense', 'a sparse initializer');
  }
  return { graphName, nodes, initializers, inputs, outputs };
}

function parseNode(bytes: Uint8Array, reject: Reject): OnnxNode {
  let [name, operator, domain] = ['', '', ''];
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, OnnxAttribute>();
  for (const field of readFields(bytes, reject)) {
    if (field.number === 1) inputs.push(readText(field, reject));
    else if (field.number === 2) outputs.push(readText(field, reject));
    else if (field.number === 3) name = readText(field, reject);
    else if (field.number === 4) operator = readText(field, reject);
    else if (field.number === 5) {
      const [key, value] = parseAttribute(messageOf(field, reject), reject);
      if (attributes.has(key)) reject('a node must have an attribute once', showValue(key));
      attributes.set(key, value);
    } else if (field.number === 7) domain = readText(field, reject);
  }
  return { name, operator, domain: domain === 'ai.onnx' ? '' : domain, inputs, outputs, attributes };
}

function parseAttribute(bytes: Uint8Array, reject: Reject): [name: string, value: OnnxAttribute] {
  let name = '';
  let type = 0;
  let float = 0;
  let integer = 0;
  let text = '';
  let tensor: OnnxTensor | undefined;
  const floats: number[] = [];
  const integers: number[] = [];
  const texts: string[] = [];
  for (const field of readFields(bytes, reject)) {
    if (field.number === 1) name = readText(field, reject);
    else if (field.number === 2) [float = 0] = readFloats(field, reject);
    else if (field.number === 3) integer = Number(field.varint);
    else if (field.number === 4) text = readText(field, reject);
    else if (field.number === 5) tensor = parseTensor(messageOf(field, reject), reject);
    else if (field.number === 7) for (const value of readFloats(field, reject)) floats.push(value);
    else if (field.number === 8) for (const value of readIntegers(field, reject)) integers.push(Number(value));
    else if (field.number === 9) texts.push(readText(field, reject));
    else if (field.number === 20) type = Number(field.varint);
  }
  // Numbers of AttributeProto.AttributeType.
  const values: Readonly<Record<number, OnnxAttribute>> = {
    1: float,
    2: integer,
    3: text,
    4: tensor,
    6: floats,
    7: integers,
    8: texts,
  };
  return [name, values[type]];
}

/** Largest rank that anything here makes sense of. */
const HIGHEST_RANK = 8;

function parseTensor(bytes: Uint8Array, reject: Reject): OnnxTensor {
  const shape: number[] = [];
  let dataType = 0;
  let name = '';
  let raw: Uint8Array | undefined;
  let isExternal = false;
  const values: number[] = [];
  const external = new Map<string, string>();
  for (const field of readFields(bytes, reject)) {
    if (field.number === 1) for (const size of readIntegers(field, reject)) shape.push(Number(size));
    else if (field.number === 2) dataType = Number(field.varint);
    else if (field.number === 4) for (const value of readFloats(field, reject)) values.push(value);
    else if (field.number === 5 || field.number === 7 || field.number === 11) {
      for (const value of readIntegers(field, reject)) values.push(Number(value));
    } else if (field.number === 8) name = readText(field, reject);
    else if (field.number === 9) raw = messageOf(field, reject);
    else if (field.number === 10) for (const value of readDoubles(field, reject)) values.push(value);
    else if (field.number === 13) {
      const { 1: key = '', 2: value = '' } = readPair(field, reject);
      external.set(String(key), String(value));
    } else if (field.number === 14) isExternal = field.varint === 1n;
  }
  if (shape.length > HIGHEST_RANK || shape.some((size) => !(size >= 0 && size <= 2 ** 31)))
    reject(`tensor ${showValue(name)} must have at most ${HIGHEST_RANK} sizes >= 0`, showValue(shape));
  return { name, shape, dataType, raw, values, ...(isExternal && { external }) };
}

function readDoubles(field: ProtobufField, reject: Reject): number[] {
  const { bytes, number, type } = field;
  if ((type !== 'bytes' && type !== 'fixed64') || bytes.length % 8 !== 0)
    return reject(`field ${number} must hold doubles`, `${type} of ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 8 }, (_, index) => view.getFloat64(index * 8, true));
}

function parseValue(bytes: Uint8Array, reject: Reject): OnnxValue {
  let name = '';
  let shape: (number | undefined)[] | undefined;
  for (const field of readFields(bytes, reject)) {
    if (field.number === 1) name = readText(field, reject);
    if (field.number !== 2) continue;
    for (const type of readFields(messageOf(field, reject), reject)) {
      if (type.number !== 1) continue;
      for (const part of readFields(messageOf(type, reject), reject)) {
        if (part.number !== 2) continue;
        shape = [];
        for (const size of readFields(messageOf(part, reject), reject)) {
          const { 1: value } = readPair(size, reject);
          shape.push(value === undefined || Number(value) < 1 ? undefined : Number(value));
        }
      }
    }
  }
  return { name, shape };
}

/** Fields 1 and 2 of a small message: numbers or text. */
function readPair(field: ProtobufField, reject: Reject): Partial<Record<number, string | number>> {
  const pair: Partial<Record<number, string | number>> = {};
  for (const part of readFields(messageOf(field, reject), reject)) {
    if (part.number > 2) continue;
    pair[part.number] = part.type === 'varint' ? Number(part.varint) : readText(part, reject);
  }
  return pair;
}

function messageOf(field: ProtobufField, reject: Reject): Uint8Array {
  return field.type === 'bytes' ? field.bytes : reject(`field ${field.number} must be a message`, field.type);
}
