import type { Graph } from '@dafl/core';
import type { EmittedLayer, EmittedModel } from './emit-layers.ts';

/** Version of Keras whose rules the files follow. */
export const KERAS_VERSION = '3.0.0';
/** Version of TensorFlow.js whose rules the files follow. */
export const TFJS_VERSION = 'tfjs-layers 4.22.0';

/** The architecture as Keras 3 writes it. */
export function kerasConfig({ name, layers }: EmittedModel): object {
  const shapes = new Map(layers.map((layer) => [layer.name, layer.shape]));
  const policy = { module: 'keras', class_name: 'DTypePolicy', config: { name: 'float32' }, registered_name: null };
  const tensorOf = (source: string): object => ({
    class_name: '__keras_tensor__',
    config: { shape: [null, ...shapes.get(source)!], dtype: 'float32', keras_history: [source, 0, 0] },
  });
  const layerOf = (layer: EmittedLayer): object => {
    const isInput = layer.className === 'InputLayer';
    const tensors = layer.inputs.map(tensorOf);
    return {
      module: 'keras.layers',
      class_name: layer.className,
      config: {
        name: layer.name,
        ...(isInput ? { dtype: 'float32' } : { trainable: true, dtype: policy }),
        ...layer.config,
      },
      registered_name: null,
      name: layer.name,
      inbound_nodes: isInput ? [] : [{ args: isMerging(layer) ? [tensors] : tensors, kwargs: {} }],
    };
  };
  return {
    module: 'keras.src.models.functional',
    class_name: 'Functional',
    config: {
      name: plainName(name),
      trainable: true,
      layers: layers.map(layerOf),
      // Lists of them would be models that take and give lists.
      input_layers: [layers[0].name, 0, 0],
      output_layers: [layers[layers.length - 1].name, 0, 0],
    },
    registered_name: 'Functional',
  };
}

/** The architecture as TensorFlow.js writes it. */
export function tfjsTopology({ name, layers }: EmittedModel): object {
  return {
    class_name: 'Model',
    config: {
      name: plainName(name),
      layers: layers.map((layer) => ({
        class_name: layer.className,
        config: { name: layer.name, trainable: true, dtype: 'float32', ...layer.config },
        name: layer.name,
        inbound_nodes: layer.inputs.length === 0 ? [] : [layer.inputs.map((source) => [source, 0, 0, {}])],
      })),
      input_layers: [[layers[0].name, 0, 0]],
      output_layers: [[layers[layers.length - 1].name, 0, 0]],
    },
    keras_version: TFJS_VERSION,
    backend: 'tensor_flow.js',
  };
}

function isMerging({ className }: EmittedLayer): boolean {
  return ['Add', 'Concatenate', 'Maximum', 'Minimum', 'Multiply', 'Subtract'].includes(className);
}

/** Slashes mean folders to Keras. */
function plainName(name: string): string {
  return name.replaceAll('/', '_');
}

/** What a file says of its classifier beside the layers: dafl's own graph, and as texts what others can use. */
export function describeGraph(graph: Graph, includesPreprocessing: boolean, isWhole: boolean): Record<string, unknown> {
  const { preprocessing, classNames } = graph;
  const { resize, mean, standardDeviation } = preprocessing ?? {};
  const said = includesPreprocessing ? { resize, range: [0, 255] } : { resize, range: [0, 1], mean, standardDeviation };
  return {
    ...(preprocessing !== undefined && { preprocessing: JSON.stringify(said) }),
    ...(classNames !== undefined && { class_names: JSON.stringify(classNames) }),
    ...(isWhole && { dafl: { version: 1, graph } }),
  };
}
