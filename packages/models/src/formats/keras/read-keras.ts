import { DaflError, showValue } from '@dafl/core';
import { isPixelConvention, type PixelConvention, setPixelConvention } from '../../set-pixel-convention.ts';
import { type JsonObject, type JsonValue, parseJson } from '../_parse-json.ts';
import { createReject, type Reject } from '../_reject.ts';
import { finishImport, type ImportedModel } from '../finish-import.ts';
import { decodeDataset } from '../hdf5/decode-dataset.ts';
import { Hdf5File, type Hdf5Object } from '../hdf5/hdf5-file.ts';
import { readClassNames } from '../onnx/read-class-names.ts';
import { readPreprocessing } from '../onnx/read-preprocessing.ts';
import { type Activation, GraphBuilder, sameOrder, usualOrder } from '../onnx/graph-builder.ts';
import { readZip, type ZipEntry } from '../zip/read-zip.ts';
import { type KerasLayer, type KerasTopology, readTopology } from './keras-topology.ts';
import type { Dialect } from './layer-site.ts';
import { lowerTopology } from './lower-topology.ts';
import { type NamedWeight, namedWeights } from './named-weights.ts';
import { kerasConfig } from './model-json.ts';
import { restoreGraph, type RestoreSource } from './restore-graph.ts';
import { storedWeights } from './stored-weights.ts';
import type { WeightScope } from './weight-scope.ts';

/** Longer architectures are no model's. */
const LARGEST_CONFIG_BYTES = 64 * 2 ** 20;
const CONFIG = 'config.json';
const METADATA = 'metadata.json';
const WEIGHTS = 'model.weights.h5';
const HOW_TO_SAVE = "save the whole model: model.save('model.keras')";

/** Options of `readKeras`. */
export interface ReadKerasOptions {
  /** What the network takes; absent: what arithmetic on its input tells, or 0..1. */
  readonly pixels?: PixelConvention;
  /** Height and width of the pictures, where the file leaves them open. */
  readonly inputSize?: readonly [height: number, width: number];
}

/**
 * Reads an image classifier that Keras (2 or 3) saved whole, as `.keras` or `.h5`: its architecture and its weights.
 * Nothing of it is run: Lambda layers and the code of custom layers are refused by name.
 *
 * @param name How errors call it, and what the model is called after.
 * @throws {DaflError} `MODEL` if it is damaged, holds weights alone, or has layers that can't be turned into dafl's
 *   nodes: all are named.
 */
export async function readKeras(
  bytes: Uint8Array,
  name: string,
  options: ReadKerasOptions = {},
): Promise<ImportedModel> {
  const reject = createReject(name, 'a Keras model');
  const isZip = bytes[0] === 0x50;
  return isZip ? await readArchive(bytes, name, options, reject) : readHdf5(bytes, name, options, reject);
}

async function readArchive(
  bytes: Uint8Array,
  name: string,
  options: ReadKerasOptions,
  reject: Reject,
): Promise<ImportedModel> {
  const entries = readZip(bytes, reject);
  const find = (entryName: string, why: string): ZipEntry =>
    entries.get(entryName) ??
    reject(`it must hold '${entryName}', ${why} (${HOW_TO_SAVE})`, showValue([...entries.keys()]));
  const readJson = async (entryName: string, why: string): Promise<JsonValue> => {
    const entry = find(entryName, why);
    if (entry.sizeBytes > LARGEST_CONFIG_BYTES)
      reject(`its ${entryName} must have at most ${LARGEST_CONFIG_BYTES} bytes`, String(entry.sizeBytes));
    const text = await entry.read();
    return parseJson(decodeUtf8(text, `its ${entryName}`, reject), `its ${entryName}`, reject);
  };
  const model = await readJson(CONFIG, 'its architecture');
  const metadata = entries.has(METADATA) ? await readJson(METADATA, 'its version') : new Map<string, JsonValue>();
  const said: JsonObject = metadata instanceof Map ? (metadata as JsonObject) : new Map<string, JsonValue>();
  const topology = readTopology(model, reject);
  const stored = await find(WEIGHTS, 'its weights').read();
  const file = new Hdf5File(stored, reject);
  return buildKeras(
    {
      topology,
      weights: storedWeights(file, file.root, topology.layers, reject),
      dialect: dialectOf(said.get('keras_version'), 'keras3'),
      origin: { said, topology: model, family: 'keras', describe: kerasConfig, mostValues: stored.length },
    },
    name,
    options,
    reject,
  );
}

function readHdf5(bytes: Uint8Array, name: string, options: ReadKerasOptions, reject: Reject): ImportedModel {
  const file = new Hdf5File(bytes, reject);
  const text = file.root.attributes.get('model_config')?.values[0];
  if (typeof text !== 'string')
    return reject(
      `it must hold the model's architecture, not weights alone (${HOW_TO_SAVE})`,
      `no 'model_config' beside ${showValue([...file.root.links.keys()].slice(0, 5))}`,
    );
  const topology = readTopology(parseJson(text, "its 'model_config'", reject), reject);
  const group = file.child(file.root, 'model_weights');
  if (group === undefined) return reject('it must hold the weights of its model', "no 'model_weights'");
  const version = file.root.attributes.get('keras_version')?.values[0];
  const groupOf = (layer: KerasLayer): readonly NamedWeight[] => weightsOf(file, group, layer.name, reject);
  return buildKeras(
    { topology, weights: namedWeights([], groupOf), dialect: dialectOf(version, 'keras2') },
    name,
    options,
    reject,
  );
}

/** The weights of a layer of an `.h5` file, in the order that it says. */
function weightsOf(file: Hdf5File, model: Hdf5Object, layer: string, reject: Reject): NamedWeight[] {
  const group = file.child(model, layer);
  if (group === undefined) return [];
  return listOf(group, 'weight_names').map((path) => ({
    path,
    read() {
      const dataset = file.find(group, path)?.dataset;
      const tensor = dataset && decodeDataset(dataset);
      return (
        tensor ?? reject(`weight ${showValue(path)} of layer ${showValue(layer)} must be an array of numbers`, 'none')
      );
    },
  }));
}

/** Texts of an attribute; long lists stand in several, which are counted. */
function listOf({ attributes }: Hdf5Object, name: string): string[] {
  const parts: (number | string)[] = [...(attributes.get(name)?.values ?? [])];
  for (let index = 0; attributes.has(`${name}${index}`); index++)
    parts.push(...attributes.get(`${name}${index}`)!.values);
  return parts.filter((part) => typeof part === 'string');
}

function dialectOf(version: JsonValue | undefined, otherwise: Dialect): Dialect {
  if (typeof version !== 'string') return otherwise;
  return /^[012]\./.test(version) ? 'keras2' : 'keras3';
}

function decodeUtf8(bytes: Uint8Array, what: string, reject: Reject): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return reject(`${what} must be text in UTF-8`, 'other bytes');
  }
}

/** An architecture with its weights. */
export interface KerasModel {
  readonly topology: KerasTopology;
  readonly weights: WeightScope;
  readonly dialect: Dialect;
  /** What the file says beside the layers, where dafl may have written it. */
  readonly origin?: Omit<RestoreSource, 'said' | 'take'> & { readonly said: JsonObject };
}

/** Makes a Keras model dafl's. */
export function buildKeras(
  { topology, weights, dialect, origin }: KerasModel,
  name: string,
  options: ReadKerasOptions,
  reject: Reject,
): ImportedModel {
  const restored = origin && restoreModel(topology, weights, origin, options);
  if (restored !== undefined) return restored;
  if (topology.inputs.length !== 1)
    reject('it must have one input', showValue(topology.inputs.map(({ layer }) => layer)));
  if (topology.outputs.length !== 1)
    reject('it must have one output', showValue(topology.outputs.map(({ layer }) => layer)));
  const isChannelsFirst = readsChannelsFirst(topology);
  const builder = new GraphBuilder(undefined, true, isChannelsFirst ? usualOrder : sameOrder);
  const { inputShape, input } = describeInput(
    topology,
    { isChannelsFirst, inputSize: options.inputSize },
    builder,
    reject,
  );
  const [output] = lowerTopology(topology, [input], weights, { builder, dialect, reject });
  const texts = new Map(
    [...(origin?.said ?? [])].flatMap(([key, text]) => (typeof text === 'string' ? [[key, text]] : [])),
  );
  return finishImport(builder, output, {
    name,
    inputShape,
    reject,
    pixels: options.pixels,
    classNames: readClassNames(texts),
    preprocessing: readPreprocessing(texts, inputShape.at(-1)!),
  });
}

/** The model that dafl wrote, where the file's layers are still those. */
function restoreModel(
  topology: KerasTopology,
  weights: WeightScope,
  origin: NonNullable<KerasModel['origin']>,
  { pixels = {}, inputSize }: ReadKerasOptions,
): ImportedModel | undefined {
  const layers = new Map(topology.layers.map((layer) => [layer.name, layer]));
  const model = restoreGraph({
    ...origin,
    said: origin.said.get('dafl'),
    take: (layer, names) => weights.of(layers.get(layer)!, names, refuseWeights),
  });
  if (
    model === undefined ||
    (inputSize !== undefined && inputSize.join() !== model.graph.inputShape.slice(0, 2).join())
  )
    return undefined;
  return { model: isPixelConvention(pixels) ? setPixelConvention(model, pixels) : model, notes: [] };
}

function refuseWeights(reason: string): never {
  throw new DaflError('MODEL', `Cannot read weights as ${reason}`);
}

/** All layers, of models within it as well. */
function allLayers({ layers }: KerasTopology): KerasLayer[] {
  return layers.flatMap((layer) => [layer, ...(layer.inner === undefined ? [] : allLayers(layer.inner))]);
}

/** Whether the first layer that says how maps lie has their channels first. */
function readsChannelsFirst(topology: KerasTopology): boolean {
  for (const { config } of allLayers(topology)) {
    const format = config.get('data_format');
    if (typeof format === 'string') return format === 'channels_first';
  }
  return false;
}

function describeInput(
  topology: KerasTopology,
  { isChannelsFirst, inputSize }: { readonly isChannelsFirst: boolean } & Pick<ReadKerasOptions, 'inputSize'>,
  builder: GraphBuilder,
  reject: Reject,
): { inputShape: number[]; input: Activation } {
  const { layer: name } = topology.inputs[0];
  const config = topology.layers.find((layer) => layer.name === name)?.config;
  const given = config?.get('batch_shape') ?? config?.get('batch_input_shape');
  const [, ...said] = Array.isArray(given) ? (given as readonly JsonValue[]) : [];
  const resized = said.includes(null) ? resizedShape(topology, said, isChannelsFirst) : said;
  // Of rows, whoever takes them for pictures says the size.
  const sizes =
    inputSize === undefined || said.length === 1 ? resized : sizeInput(resized, inputSize, isChannelsFirst, reject);
  const isKnown = sizes.every((size): size is number => Number.isInteger(size) && (size as number) >= 1);
  if (!isKnown || sizes.length < 1 || sizes.length > 3)
    return reject("its input must be pictures of a known size where 'inputSize' is not given", showValue(said));
  const shape = [1, ...sizes];
  if (sizes.length === 1) return { inputShape: sizes, input: { node: 'input', shape, order: [1] } };
  if (sizes.length === 2) {
    const node = builder.add(name, { kind: 'reshape', shape: sizes }, ['input']);
    return { inputShape: [...sizes, 1], input: { node, shape, order: [1, 2] } };
  }
  const order = isChannelsFirst ? [2, 3, 1] : [1, 2, 3];
  return { inputShape: order.map((axis) => shape[axis]), input: { node: 'input', shape, order } };
}

/** The input of a model that brings pictures of any size to one: of that size, as dafl resizes pictures itself. */
function resizedShape(topology: KerasTopology, sizes: readonly JsonValue[], isChannelsFirst: boolean): JsonValue[] {
  const resizing = allLayers(topology).find(({ className }) =>
    ['Resizing', 'CenterCrop', 'RandomCrop'].includes(className),
  );
  if (resizing === undefined || sizes.length !== 3) return [...sizes];
  const [height, width] = ['height', 'width'].map((key) => resizing.config.get(key) ?? null);
  return isChannelsFirst ? [sizes[0], height, width] : [height, width, sizes[2]];
}

/** Fills in the height and width, where the file leaves them open. */
function sizeInput(
  sizes: readonly JsonValue[],
  inputSize: readonly [height: number, width: number],
  isChannelsFirst: boolean,
  reject: Reject,
): JsonValue[] {
  const first = isChannelsFirst && sizes.length === 3 ? 1 : 0;
  const filled = sizes.map((size, axis) => size ?? inputSize[axis - first] ?? null);
  if (inputSize.some((size, axis) => filled[first + axis] !== size))
    reject("'inputSize' must be that of its input", `[${inputSize.join(', ')}] for ${showValue(sizes)}`);
  return filled;
}
