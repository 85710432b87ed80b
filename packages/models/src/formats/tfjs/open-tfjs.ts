import { showValue } from '@dafl/core';
import type { PixelConvention } from '../../set-pixel-convention.ts';
import { type JsonObject, parseJson } from '../_parse-json.ts';
import { createReject, type Reject } from '../_reject.ts';
import type { ImportedModel } from '../finish-import.ts';
import { readTopology } from '../keras/keras-topology.ts';
import { tfjsTopology } from '../keras/model-json.ts';
import { namedWeights } from '../keras/named-weights.ts';
import { buildKeras } from '../keras/read-keras.ts';
import { buildModel } from '../onnx/read-onnx.ts';
import { translateGraph } from './translate-graph.ts';
import { WeightsManifest } from './weights-manifest.ts';

/** Longer descriptions are no model's. */
const LARGEST_BYTES = 64 * 2 ** 20;

/** Options of reading a model of TensorFlow.js. */
export interface ReadTfjsOptions {
  /** Content of the files beside the model.json that hold its weights, by name. */
  readonly siblings: ReadonlyMap<string, Uint8Array>;
  /** What the network takes; absent: what arithmetic on its input tells, or 0..1. */
  readonly pixels?: PixelConvention;
  /** Height and width of the pictures, where the file leaves them open. */
  readonly inputSize?: readonly [height: number, width: number];
}

/** A model.json that was parsed, and which files beside it it needs. */
export interface OpenedTfjs {
  /** How many bytes each of those files must have at least, by plain name. */
  readonly siblings: ReadonlyMap<string, number>;
  /** Makes it dafl's. */
  readonly read: (options: ReadTfjsOptions) => ImportedModel;
}

/**
 * Parses the model.json of TensorFlow.js: a layers model or a graph model, whose weights lie in files beside it.
 *
 * @param name How errors call it.
 * @throws {DaflError} `MODEL` if it is damaged, has weights elsewhere, or, when it is read, layers or operators that can't
 *   be turned into dafl's nodes: all are named.
 */
export function openTfjs(bytes: Uint8Array, name: string): OpenedTfjs {
  const reject = createReject(name, 'a TensorFlow.js model');
  if (bytes.length > LARGEST_BYTES)
    reject(`its model.json must have at most ${LARGEST_BYTES} bytes`, String(bytes.length));
  const root = parseJson(decodeUtf8(bytes, reject), 'its model.json', reject);
  if (!(root instanceof Map)) return reject('its model.json must be an object', showValue(root));
  const fields: JsonObject = root;
  const topology = fields.get('modelTopology');
  if (!(topology instanceof Map))
    return reject("its model.json must hold 'modelTopology'", showValue([...fields.keys()]));
  const manifest = new WeightsManifest(fields.get('weightsManifest'), reject);
  const isGraph = Array.isArray((topology as JsonObject).get('node'));
  return {
    siblings: manifest.files,
    read: (options) =>
      isGraph
        ? readGraphModel(fields, topology, manifest, modelName(name), options, reject)
        : readLayersModel(fields, topology, manifest, modelName(name), options, reject),
  };
}

function readLayersModel(
  fields: JsonObject,
  topology: JsonObject,
  manifest: WeightsManifest,
  name: string,
  options: ReadTfjsOptions,
  reject: Reject,
): ImportedModel {
  const config = topology.get('model_config');
  const model = config instanceof Map ? (config as JsonObject) : topology;
  const weights = [...manifest.decode(options.siblings)].map(([path, { shape, values }]) => ({
    path,
    read: () => ({ shape, data: values }),
  }));
  const version = topology.get('keras_version');
  const made = typeof version === 'string' ? version : '';
  const dialect = made.startsWith('tfjs') ? 'tfjs' : /^[3-9]\./.test(made) ? 'keras3' : 'keras2';
  const metadata = fields.get('userDefinedMetadata');
  const said: JsonObject = metadata instanceof Map ? (metadata as JsonObject) : new Map<string, never>();
  const mostValues = weights.reduce((total, weight) => total + weight.read().data.length, 0);
  return buildKeras(
    {
      topology: readTopology(model, reject),
      weights: namedWeights(weights),
      dialect,
      origin: { said, topology, family: 'tfjs', describe: tfjsTopology, mostValues },
    },
    name,
    options,
    reject,
  );
}

function readGraphModel(
  model: JsonObject,
  topology: JsonObject,
  manifest: WeightsManifest,
  name: string,
  options: ReadTfjsOptions,
  reject: Reject,
): ImportedModel {
  const signature =
    model.get('signature') ?? (model.get('userDefinedMetadata') as JsonObject | undefined)?.get?.('signature');
  const file = translateGraph(topology, manifest.decode(options.siblings), signature, reject);
  return buildModel(file, name, { pixels: options.pixels, inputSize: options.inputSize, isChannelsLast: true }, reject);
}

/** The folder of a model.json says more than its name. */
function modelName(name: string): string {
  return name.replace(/[/\\]?model\.json$/i, '') || 'model';
}

function decodeUtf8(bytes: Uint8Array, reject: Reject): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return reject('its model.json must be text in UTF-8', 'other bytes');
  }
}
