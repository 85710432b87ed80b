import type { Model } from '@dafl/core';
import { encodeFloat32 } from '../float32.ts';
import { emitLayers, type EmitOptions, storedTensor } from '../keras/emit-layers.ts';
import { describeGraph, tfjsTopology } from '../keras/model-json.ts';

/** Files of weights are cut to what browsers keep. */
const SHARD_BYTES = 4 * 2 ** 20;

/**
 * Writes a model up to its logits as a layers model of TensorFlow.js: float32, any batch size, images channels last. Class
 * names and preprocessing stand in its `userDefinedMetadata`, and dafl's own graph, which `importModel` gives back while the
 * layers are as written.
 *
 * @returns The files of the model's folder by name: `model.json`, and those of weights.
 * @throws {DaflError} `MODEL` if the model is not sound, has nodes that TensorFlow.js has no layers for (all are named), or
 *   no preprocessing to include.
 */
export function writeTfjs(model: Model, options: EmitOptions = {}): Map<string, Uint8Array<ArrayBuffer>> {
  const emitted = emitLayers(model, 'tfjs', options);
  const { includesPreprocessing = false, includesSoftmax = false } = options;
  const stored = emitted.layers.flatMap(({ name, weights }) =>
    weights.map((weight) => ({ name: `${name}/${weight.name}`, tensor: storedTensor(weight, model.weights) })),
  );
  const parts = stored.map(({ tensor }) => encodeFloat32(tensor.data));
  const bytes = new Uint8Array(parts.reduce((total, { length }) => total + length, 0));
  let position = 0;
  for (const part of parts) {
    bytes.set(part, position);
    position += part.length;
  }
  const count = Math.max(1, Math.ceil(bytes.length / SHARD_BYTES));
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (let shard = 0; shard < count; shard++)
    files.set(`group1-shard${shard + 1}of${count}.bin`, bytes.slice(shard * SHARD_BYTES, (shard + 1) * SHARD_BYTES));
  const json = {
    format: 'layers-model',
    generatedBy: 'dafl',
    convertedBy: null,
    modelTopology: tfjsTopology(emitted),
    weightsManifest: [
      {
        paths: [...files.keys()],
        weights: stored.map(({ name, tensor }) => ({ name, shape: tensor.shape, dtype: 'float32' })),
      },
    ],
    userDefinedMetadata: describeGraph(model.graph, includesPreprocessing, !includesPreprocessing && !includesSoftmax),
  };
  return new Map([['model.json', new TextEncoder().encode(JSON.stringify(json))], ...files]);
}
