import { showValue } from '@dafl/core';
import type { Reject } from '../_reject.ts';
import { NumberList } from './_number-list.ts';
import {
  FIELDS_END,
  type ProtobufField,
  readDoubles,
  readFields,
  readFloats,
  readIntegers,
  readText,
} from './_protobuf-reader.ts';

/** A tensor as the file has it. */
export interface OnnxTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Number of the type in `TensorProto.DataType`. */
  readonly dataType: number;
  /** Content, little-endian; undefined where it lies in the typed fields or in another file. */
  readonly raw?: Uint8Array;
  /** Values of `float_data`, `int32_data`, `int64_data`, `double_data` or `uint64_data`. */
  readonly values: Float32Array | Float64Array;
  /** Keys of `external_data`, for content that lies in another file. */
  readonly external?: ReadonlyMap<string, string>;
}

/** Stands in a function for an attribute of the node that calls it. */
export interface OnnxReference {
  readonly reference: string;
}

/** An attribute's value. */
export type OnnxAttribute =
  | number
  | string
  | readonly number[]
  | readonly string[]
  | OnnxTensor
  | OnnxGraph
  | OnnxReference
  | undefined;

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
  /** Which of several functions of a name it calls; absent: the one without. */
  readonly overload?: string;
  /** Version of ONNX's own operators, where that is not the file's. */
  readonly opset?: number;
}

/** Name and shape of an input or output; a size without a number is undefined. */
export interface OnnxValue {
  readonly name: string;
  readonly shape?: readonly (number | undefined)[];
}

/** Nodes and what they read: of a file, or a branch of one of its nodes. */
export interface OnnxGraph {
  readonly graphName: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

/** An operator that the file spells out itself. */
export interface OnnxFunction {
  readonly name: string;
  readonly domain: string;
  readonly overload: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** What attributes are where its caller does not give them. */
  readonly defaults: ReadonlyMap<string, OnnxAttribute>;
  readonly nodes: readonly OnnxNode[];
  /** Version of ONNX's own operators; absent: the file's. */
  readonly opset?: number;
}

/** What is used of a `ModelProto`. */
export interface OnnxModel extends OnnxGraph {
  readonly irVersion: number;
  readonly producer: string;
  /** Version of ONNX's own operators. */
  readonly opset: number;
  /** Operators of its own; absent: none. */
  readonly functions?: readonly OnnxFunction[];
  readonly metadata: ReadonlyMap<string, string>;
}

/** Larger than any network has; a file that repeats something more often is not read to its end. */
const limits = {
  nodes: 20_000,
  initializers: 50_000,
  inputs: 10_000,
  outputs: 10_000,
  attributes: 200,
  functions: 10_000,
} as const;
/** Entries of one attribute, or names that one node reads. */
const LONGEST_LIST = 2 ** 16;
/** Graphs that lie in each other. */
const DEEPEST_GRAPH = 8;

function limit(count: number, what: keyof typeof limits, reject: Reject): void {
  if (count > limits[what]) reject(`it must have at most ${limits[what]} ${what}`, 'more');
}

/** What the parser knows where it is: of the whole file, as graphs lie in attributes. */
interface Parsing {
  readonly reject: Reject;
  /** How many were read so far, of all graphs. */
  readonly counts: { nodes: number; initializers: number; inputs: number; outputs: number };
  /** How many graphs are around it. */
  readonly depth: number;
}

/** Reads an ONNX file, without making anything of it. Content of tensors is not copied. */
export function parseOnnx(bytes: Uint8Array, reject: Reject): OnnxModel {
  let irVersion = 0;
  let producer = '';
  let graph: Uint8Array | undefined;
  let opset: number | undefined;
  const metadata = new Map<string, string>();
  const functions: OnnxFunction[] = [];
  const counts = { nodes: 0, initializers: 0, inputs: 0, outputs: 0 };
  const parsing: Parsing = { reject, counts, depth: 0 };
  // Nothing around them bounds the outermost fields but the file.
  const rejectOutermost: Reject = (rule, value) =>
    rule === FIELDS_END
      ? reject('it must hold all of its fields', `${bytes.length} bytes, cut off there (${value})`)
      : reject(rule, value);
  for (const field of readFields(bytes, rejectOutermost)) {
    if (field.number === 1) irVersion = field.varint;
    else if (field.number === 2) producer = readText(field, reject);
    else if (field.number === 7) graph = messageOf(field, reject);
    else if (field.number === 8) {
      const { 1: domain = '', 2: version = 0 } = readPair(field, reject);
      if (domain === '' || domain === 'ai.onnx') opset = Number(version);
    } else if (field.number === 14) {
      const { 1: key = '', 2: value = '' } = readPair(field, reject);
      metadata.set(String(key), String(value));
    } else if (field.number === 25) {
      functions.push(parseFunction(messageOf(field, reject), parsing));
      limit(functions.length, 'functions', reject);
    }
  }
  if (graph === undefined) return reject('it must hold a graph', 'none');
  // IR 3 has the opset; it must be there.
  if (opset === undefined) return reject('it must say the version of its operators (opset)', 'none');
  return { irVersion, producer, opset, functions, metadata, ...parseGraph(graph, parsing) };
}

function parseGraph(bytes: Uint8Array, parsing: Parsing): OnnxGraph {
  const { reject, counts } = parsing;
  let graphName = '';
  const nodes: OnnxNode[] = [];
  const initializers: OnnxTensor[] = [];
  const inputs: OnnxValue[] = [];
  const outputs: OnnxValue[] = [];
  const count = (what: keyof typeof counts): void => limit(++counts[what], what, reject);
  for (const field of readFields(bytes, reject)) {
    if (field.number === 1) {
      count('nodes');
      nodes.push(parseNode(messageOf(field, reject), parsing));
    } else if (field.number === 2) graphName = readText(field, reject);
    else if (field.number === 5) {
      count('initializers');
      initializers.push(parseTensor(messageOf(field, reject), reject));
    } else if (field.number === 11) {
      count('inputs');
      inputs.push(parseValue(messageOf(field, reject), reject));
    } else if (field.number === 12) {
      count('outputs');
      outputs.push(parseValue(messageOf(field, reject), reject));
    } else if (field.number === 15) reject('its weights must be dense', 'a sparse initializer');
  }
  return { graphName, nodes, initializers, inputs, outputs };
}

function parseFunction(bytes: Uint8Array, parsing: Parsing): OnnxFunction {
  const { reject, counts } = parsing;
  let [name, domain, overload] = ['', '', ''];
  let opset: number | undefined;
  const inputs: string[] = [];
  const outputs: string[] = [];
  const defaults = new Map<string, OnnxAttribute>();
  const nodes: OnnxNode[] = [];
  for (const field of readFields(bytes, reject)) {
    if (field.number === 1) name = readText(field, reject);
    else if (field.number === 4) inputs.push(readText(field, reject));
    else if (field.number === 5) outputs.push(readText(field, reject));
    else if (field.number === 7) {
      limit(++counts.nodes, 'nodes', reject);
      nodes.push(parseNode(messageOf(field, reject), parsing));
    } else if (field.number === 9) {
      const { 1: of = '', 2: version = 0 } = readPair(field, reject);
      if (of === '' || of === 'ai.onnx') opset = Number(version);
    } else if (field.number === 10) domain = readText(field, reject);
    else if (field.number === 11) {
      const [key, value] = parseAttribute(messageOf(field, reject), parsing);
      defaults.set(key, value);
      limit(defaults.size, 'attributes', reject);
    } else if (field.number === 13) overload = readText(field, reject);
    if (inputs.length + outputs.length > LONGEST_LIST)
      reject(`a function must read and write at most ${LONGEST_LIST} tensors`, 'more');
  }
  return { name, domain: plainDomain(domain), overload, inputs, outputs, defaults, nodes, opset };
}

/** ONNX's own domain has two names. */
function plainDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain;
}

function parseNode(bytes: Uint8Array, parsing: Parsing): OnnxNode {
  const { reject } = parsing;
  let [name, operator, domain, overload] = ['', '', '', ''];
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, OnnxAttribute>();
  for (const field of readFields(bytes, reject)) {
    if (field.number === 1) inputs.push(readText(field, reject));
    else if (field.number === 2) outputs.push(readText(field, reject));
    else if (field.number === 3) name = readText(field, reject);
    else if (field.number === 4) operator = readText(field, reject);
    else if (field.number === 5) {
      const [key, value] = parseAttribute(messageOf(field, reject), parsing);
      if (attributes.has(key)) reject('a node must have an attribute once', showValue(key));
      attributes.set(key, value);
      limit(attributes.size, 'attributes', reject);
    } else if (field.number === 7) domain = readText(field, reject);
    else if (field.number === 8) overload = readText(field, reject);
    if (inputs.length + outputs.length > LONGEST_LIST)
      reject(`a node must read and write at most ${LONGEST_LIST} tensors`, 'more');
  }
  return {
    name,
    operator,
    domain: plainDomain(domain),
    inputs,
    outputs,
    attributes,
    ...(overload !== '' && { overload }),
  };
}

function parseAttribute(bytes: Uint8Array, parsing: Parsing): [name: string, value: OnnxAttribute] {
  const { reject, depth } = parsing;
  let name = '';
  let type = 0;
  let integer = 0;
  let text = '';
  let reference = '';
  let tensor: OnnxTensor | undefined;
  let graph: OnnxGraph | undefined;
  const float = new NumberList();
  const floats = new NumberList();
  const integers = new NumberList();
  const texts: string[] = [];
  for (const field of readFields(bytes, reject)) {
    if (field.number === 1) name = readText(field, reject);
    else if (field.number === 2) readFloats(field, float, reject);
    else if (field.number === 3) integer = field.varint;
    else if (field.number === 4) text = readText(field, reject);
    else if (field.number === 5) tensor = parseTensor(messageOf(field, reject), reject);
    else if (field.number === 6) {
      if (depth >= DEEPEST_GRAPH) reject(`its graphs must lie at most ${DEEPEST_GRAPH} deep in each other`, 'deeper');
      graph = parseGraph(messageOf(field, reject), { ...parsing, depth: depth + 1 });
    } else if (field.number === 7) readFloats(field, floats, reject);
    else if (field.number === 8) readIntegers(field, integers, reject);
    else if (field.number === 9) texts.push(readText(field, reject));
    else if (field.number === 20) type = field.varint;
    else if (field.number === 21) reference = readText(field, reject);
    const longest = Math.max(floats.length, integers.length, texts.length);
    if (longest > LONGEST_LIST)
      reject(`attribute ${showValue(name)} must have at most ${LONGEST_LIST} entries`, String(longest));
  }
  if (reference !== '') return [name, { reference }];
  // Numbers of AttributeProto.AttributeType. Lists of graphs (10) stand for themselves: no operator here reads one.
  if (type === 1) return [name, float.values.at(-1) ?? 0];
  if (type === 2) return [name, integer];
  if (type === 3) return [name, text];
  if (type === 4) return [name, tensor];
  if (type === 5) return [name, graph];
  if (type === 6) return [name, [...floats.values]];
  if (type === 7) return [name, [...integers.values]];
  return [name, type === 8 ? texts : undefined];
}

/** Largest rank that anything here makes sense of. */
const HIGHEST_RANK = 8;

function parseTensor(bytes: Uint8Array, reject: Reject): OnnxTensor {
  const sizes = new NumberList();
  let dataType = 0;
  let name = '';
  let raw: Uint8Array | undefined;
  let isExternal = false;
  const singles = new NumberList(true);
  const others = new NumberList();
  const external = new Map<string, string>();
  for (const field of readFields(bytes, reject)) {
    if (field.number === 1) readIntegers(field, sizes, reject);
    else if (field.number === 2) dataType = field.varint;
    else if (field.number === 4) readFloats(field, singles, reject);
    else if (field.number === 5 || field.number === 7 || field.number === 11) readIntegers(field, others, reject);
    else if (field.number === 8) name = readText(field, reject);
    else if (field.number === 9) raw = messageOf(field, reject);
    else if (field.number === 10) readDoubles(field, others, reject);
    else if (field.number === 13) {
      const { 1: key = '', 2: value = '' } = readPair(field, reject);
      external.set(String(key), String(value));
    } else if (field.number === 14) isExternal = field.varint === 1;
    if (sizes.length > HIGHEST_RANK || external.size > HIGHEST_RANK)
      reject(`tensor ${showValue(name)} must have at most ${HIGHEST_RANK} sizes and places`, 'more');
  }
  const shape = [...sizes.values];
  if (
    shape.length > HIGHEST_RANK ||
    shape.some((size) => !(size >= 0 && size <= 2 ** 31)) ||
    !(product(shape) <= Number.MAX_SAFE_INTEGER)
  )
    reject(`tensor ${showValue(name)} must have sizes >= 0 that fit a file`, showValue(shape));
  return {
    name,
    shape,
    dataType,
    raw,
    values: singles.length > 0 ? singles.values : others.values,
    ...(isExternal && { external }),
  };
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total * size, 1);
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
          shape.push(value === undefined || !(Number(value) >= 1) ? undefined : Number(value));
          if (shape.length > HIGHEST_RANK)
            reject(`tensor ${showValue(name)} must have at most ${HIGHEST_RANK} sizes`, 'more');
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
    pair[part.number] = part.type === 'varint' ? part.varint : readText(part, reject);
  }
  return pair;
}

function messageOf(field: ProtobufField, reject: Reject): Uint8Array {
  return field.type === 'bytes' ? field.bytes : reject(`field ${field.number} must be a message`, field.type);
}
