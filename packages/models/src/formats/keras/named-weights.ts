import type { HostTensor } from '@dafl/core';
import type { KerasLayer } from './keras-topology.ts';
import { wantedWeight, type WeightScope } from './weight-scope.ts';

/** A weight under the path that its variable had: `model/conv2d/kernel:0`. */
export interface NamedWeight {
  readonly path: string;
  readonly read: () => HostTensor;
}

/** A weight's name without what TensorFlow adds to it: `kernel_1:0` is `kernel`. */
function plainName(name: string): string {
  return name.replace(/:\d+$/, '').replace(/_\d+$/, '');
}

/** Names between the slashes. */
function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '');
}

/**
 * Weights that are found by name, as they stand in older files of Keras and in those of TensorFlow.js.
 *
 * @param groupOf What is stored for a layer of the model alone, where the file says so; absent: layers are found by path.
 * @param all All weights, for layers within models.
 */
export function namedWeights(
  all: readonly NamedWeight[],
  groupOf?: (layer: KerasLayer) => readonly NamedWeight[],
  models: readonly string[] = [],
): WeightScope {
  /** Of a layer that is one of many: by its name before the weight's, and by the model's before that where it is told. */
  const ownOf = (layer: KerasLayer): readonly NamedWeight[] => {
    const named = all.filter(({ path }) => partsOf(path).at(-2) === layer.name);
    const within = named.filter(({ path }) => partsOf(path).at(-3) === models.at(-1));
    const has = (list: readonly NamedWeight[]) =>
      new Set(list.map(({ path }) => plainName(partsOf(path).at(-1)!))).size;
    if (named.length > has(named) && within.length > 0) return within;
    if (named.length > 0) return named;
    return all.filter(({ path }) => (partsOf(path).at(-2) ?? '').replace(/_\d+$/, '') === layer.name);
  };
  return {
    of(layer, names, refuse) {
      const own = groupOf === undefined ? ownOf(layer) : groupOf(layer);
      const wanted = names.map(wantedWeight);
      const found = wanted.map((want) => {
        const fitting = own.filter(({ path }) => want.names.includes(plainName(partsOf(path).at(-1) ?? '')));
        if (fitting.length > 1) refuse(`it has several weights '${want.names[0]}'`);
        return fitting[0];
      });
      if (found.every((weight, index) => weight !== undefined || wanted[index].isOptional))
        return found.flatMap((weight) => (weight === undefined ? [] : [weight.read()]));
      // Names of its own, in Keras's order.
      const required = wanted.filter(({ isOptional }) => !isOptional).length;
      if (groupOf !== undefined && found.every((weight) => weight === undefined) && own.length === required)
        return own.map((weight) => weight.read());
      const missing = wanted.filter((want, index) => found[index] === undefined && !want.isOptional);
      return refuse(`its weights [${missing.map((want) => want.names[0]).join(', ')}] are missing`);
    },
    inside: (layer) => namedWeights(groupOf === undefined ? all : groupOf(layer), undefined, [...models, layer.name]),
  };
}
