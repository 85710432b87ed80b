import {
  DaflError,
  fail,
  type Graph,
  graphCost,
  type HostTensor,
  inferShapes,
  type Model,
  readGraph,
  showValue,
  validateModel,
} from '@dafl/core';
import { crc32 } from './_crc32.ts';
import { type JsonValue, parseJson } from './_parse-json.ts';
import { recognizeFormat } from './_recognize-format.ts';
import { createReject, type Reject, showFileName } from './_reject.ts';
import { decodeFloat32, encodeFloat32 } from './float32.ts';
import { parseGraph } from './parse-graph.ts';
import { parseSafetensors } from './parse-safetensors.ts';
import { LARGEST_HEADER_BYTES, type SafetensorsFile } from './safetensors.ts';
import { serializeSafetensors } from './serialize-safetensors.ts';

/** Metadata key of the graph: `{"version":1,"graph":{...}}`. */
export const GRAPH_KEY = 'dafl';
/** Metadata key of the checksum; see `checksumOf`. */
const CHECKSUM_KEY = 'dafl.crc32';
const VERSION = 1;

/** Together 4 GiB of float32 for one example. */
const MOST_VALUES = 2 ** 30;
const MOST_OPERATIONS = 2 ** 40;

/**
 * Reads a model in dafl's own format: a safetensors file whose tensors are the weights (`<node>.<weight>`) and whose
 * metadata holds the graph (`dafl`) and a checksum (`dafl.crc32`). Other metadata is left alone.
 *
 * The file may come from anywhere: all of it is checked, the graph field by field, before anything is allocated by what
 * it claims. Graphs whose results for one example hold more than 2^30 values, or that take more than 2^40 operations, are
 * rejected. Weights of type F16 and BF16 are widened.
 *
 * @param bytes The whole file. The weights are copies.
 * @param name How errors call it; its extension helps to say what a file of another format is.
 * @throws {DaflError} `MODEL` if it is no such file, or damaged, or its graph is not sound.
 * @example
 * ```ts
 * const model = readModel(await readFile('teacher.safetensors'), 'teacher.safetensors');
 * describeModel(model.graph).parameters; // 61706
 * ```
 */
export function readModel(bytes: Uint8Array, name = 'file'): Model {
  const reject: Reject = createReject(name, 'a model');
  rejectOtherFormats(bytes, name);
  const file = parseSafetensors(bytes, name);
  const text = file.metadata.get(GRAPH_KEY);
  if (text === undefined) {
    return reject(
      `its metadata must hold the network's graph under '${GRAPH_KEY}', beside the weights`,
      showValue([...file.metadata.keys()]),
    );
  }
  const document = parseDocument(text, reject);
  checkChecksum(text, file, reject);
  const graph = parseGraph(document, reject);
  try {
    checkCost(graph, reject);
    const model = { graph, weights: decodeWeights(graph, file, reject) };
    validateModel(model);
    return model;
  } catch (error) {
    // Core's errors name the model; the reader of a file is told the file.
    const prefix = `Cannot use model '${graph.name}' as `;
    if (!(error instanceof DaflError) || !error.message.startsWith(prefix)) throw error;
    const message = `Cannot read ${showFileName(name)} as a model as ${error.message.slice(prefix.length)}`;
    throw new DaflError(error.code, message, { cause: error });
  }
}

/**
 * Writes a model in dafl's own format. Equal models give equal bytes, whatever the order of their fields and weights,
 * and `writeModel(readModel(bytes))` gives back the bytes that it wrote. The graph's -0 becomes 0, as JSON has it.
 *
 * @throws {DaflError} `MODEL` if the model is not sound or `readModel` would not take it.
 * @example
 * ```ts
 * await writeFile('student.safetensors', writeModel(student));
 * ```
 */
export function writeModel(model: Model): Uint8Array<ArrayBuffer> {
  const reject: Reject = (rule, value) => {
    fail({ code: 'MODEL', cannot: `write model ${showValue(model.graph.name)}`, as: rule, value });
  };
  const graph = readGraph(model.graph, reject);
  validateModel(model);
  checkCost(graph, reject);
  const text = JSON.stringify({ version: VERSION, graph });
  const tensors = new Map(
    [...model.weights].map(([name, { shape, data }]) => [
      name,
      { dataType: 'F32' as const, shape, bytes: encodeFloat32(data) },
    ]),
  );
  const metadata = new Map([
    [GRAPH_KEY, text],
    [CHECKSUM_KEY, checksumOf(text, tensors)],
  ]);
  return serializeSafetensors({ metadata, tensors });
}

/** Whether a file begins as a safetensors file. */
export function isSafetensors(bytes: Uint8Array): boolean {
  return (
    bytes.length > 8 &&
    bytes[8] === 0x7b &&
    new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true) <= LARGEST_HEADER_BYTES
  );
}

/** A PNG or an ONNX file should not be called a bad safetensors file. */
function rejectOtherFormats(bytes: Uint8Array, name: string): void {
  const format = isSafetensors(bytes) ? undefined : recognizeFormat(bytes, name);
  if (format !== undefined) {
    throw new DaflError(
      'MODEL',
      `Cannot read ${showFileName(name)} as a model as its format must be one of [dafl's .safetensors, ONNX, Keras, TensorFlow.js, PyTorch's weights]: current format is ${format}`,
    );
  }
}

/** Returns the graph's JSON. */
function parseDocument(text: string, reject: Reject): JsonValue {
  const what = `its '${GRAPH_KEY}' metadata`;
  const value = parseJson(text, what, reject);
  if (!(value instanceof Map)) return reject(`${what} must be an object`, showValue(value));
  const fields: ReadonlyMap<string, JsonValue> = value;
  // The version comes first: what else there is depends on it.
  const version = fields.get('version');
  if (version !== VERSION) {
    reject(`its format version must be ${VERSION}, the only one that this version of dafl reads`, showValue(version));
  }
  const graph = fields.get('graph');
  if (graph === undefined || fields.size !== 2) {
    return reject(`${what} must have the fields [version, graph]`, showValue([...fields.keys()]));
  }
  return graph;
}

function checkChecksum(text: string, file: SafetensorsFile, reject: Reject): void {
  const expected = file.metadata.get(CHECKSUM_KEY);
  if (expected === undefined) {
    return reject(`its metadata must hold a checksum under '${CHECKSUM_KEY}'`, showValue([...file.metadata.keys()]));
  }
  const checksum = checksumOf(text, file.tensors);
  if (checksum !== expected) {
    reject(`it must match its checksum ${showValue(expected)} (it is damaged or was edited)`, `'${checksum}'`);
  }
}

/** CRC-32 over the graph's text in UTF-8, then over each tensor's bytes by ascending name; eight hexadecimal digits. */
function checksumOf(text: string, tensors: SafetensorsFile['tensors']): string {
  let checksum = crc32(new TextEncoder().encode(text));
  for (const name of [...tensors.keys()].sort()) checksum = crc32(tensors.get(name)!.bytes, checksum);
  return checksum.toString(16).padStart(8, '0');
}

function checkCost(graph: Graph, reject: Reject): void {
  const { values, operations } = graphCost(graph);
  if (!(values <= MOST_VALUES))
    reject(`its results for one example must hold at most ${MOST_VALUES} values`, String(values));
  if (!(operations <= MOST_OPERATIONS)) {
    reject(`one example must take at most ${MOST_OPERATIONS} operations`, String(operations));
  }
}

/** Weights in the graph's order, then those that no node has, for `validateModel` to name. */
function decodeWeights(graph: Graph, file: SafetensorsFile, reject: Reject): Map<string, HostTensor> {
  const expected = [...inferShapes(graph)].flatMap(([node, shapes]) =>
    Object.keys(shapes.weights).map((weight) => `${node}.${weight}`),
  );
  const weights = new Map<string, HostTensor>();
  for (const name of new Set([...expected, ...file.tensors.keys()])) {
    const tensor = file.tensors.get(name);
    if (tensor === undefined) continue;
    const data = decodeFloat32(tensor);
    if (data === undefined)
      return reject(`weight ${showValue(name)} must have a type of [F32, F16, BF16]`, tensor.dataType);
    weights.set(name, { shape: tensor.shape, data });
  }
  return weights;
}
