import type { Model } from '@dafl/core';
import { type Hdf5Group, writeHdf5 } from '../hdf5/write-hdf5.ts';
import { writeZip } from '../zip/write-zip.ts';
import { emitLayers, type EmittedLayer, type EmitOptions, storedTensor } from './emit-layers.ts';
import { describeGraph, KERAS_VERSION, kerasConfig } from './model-json.ts';
import { snakeCase } from './snake-case.ts';

/**
 * Writes a model up to its logits as a `.keras` file of Keras 3: float32, any batch size, images channels last. Class names
 * and preprocessing stand in its metadata, and dafl's own graph, which `importModel` gives back while the layers are as written.
 *
 * @throws {DaflError} `MODEL` if the model is not sound, has nodes that Keras has no layers for (all are named), or no
 *   preprocessing to include.
 * @example
 * ```ts
 * await writeFile('student.keras', writeKeras(student));
 * ```
 */
export function writeKeras(model: Model, options: EmitOptions = {}): Uint8Array<ArrayBuffer> {
  const emitted = emitLayers(model, 'keras', options);
  const { includesPreprocessing = false, includesSoftmax = false } = options;
  const metadata = {
    keras_version: KERAS_VERSION,
    ...describeGraph(model.graph, includesPreprocessing, !includesPreprocessing && !includesSoftmax),
  };
  const encode = (value: object): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
  return writeZip(
    new Map([
      ['metadata.json', encode(metadata)],
      ['config.json', encode(kerasConfig(emitted))],
      ['model.weights.h5', writeHdf5(groupOf(emitted.layers, model))],
    ]),
  );
}

/** `layers/conv2d_1/vars/0`: groups are called after classes, and counted. */
function groupOf(layers: readonly EmittedLayer[], model: Model): Hdf5Group {
  const counts = new Map<string, number>();
  const groups = layers.map((layer): [string, Hdf5Group] => {
    const name = snakeCase(layer.className);
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    const weights = layer.weights.map((weight, index) => [String(index), storedTensor(weight, model.weights)] as const);
    const variables: Hdf5Group = { attributes: { name: layer.name }, children: new Map(weights) };
    return [count === 0 ? name : `${name}_${count}`, { children: new Map([['vars', variables]]) }];
  });
  const own: Hdf5Group = { attributes: { name: model.graph.name }, children: new Map() };
  return { children: new Map([['layers', { children: new Map(groups) }] as const, ['vars', own] as const]) };
}
