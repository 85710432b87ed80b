import { type HostTensor, showValue } from '@dafl/core';
import type { Reject } from '../_reject.ts';
import { decodeDataset } from '../hdf5/decode-dataset.ts';
import type { Hdf5File, Hdf5Object } from '../hdf5/hdf5-file.ts';
import type { KerasLayer } from './keras-topology.ts';
import { snakeCase } from './snake-case.ts';
import { wantedWeight, type WeightScope } from './weight-scope.ts';

/** The groups in which the layers of a model are stored: called after their classes and counted, not after their names. */
function groupNames(layers: readonly KerasLayer[]): Map<KerasLayer, string> {
  const counts = new Map<string, number>();
  const names = new Map<KerasLayer, string>();
  for (const layer of layers) {
    if (layer.isOperation) continue;
    const name = snakeCase(layer.className);
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    names.set(layer, count === 0 ? name : `${name}_${count}`);
  }
  return names;
}

/** Groups of a model's layers, in the versions of Keras that write `.keras` files. */
const containers = ['layers', '_layer_checkpoint_dependencies'];

/** Weights of a `.keras` file: `layers/conv2d_1/vars/0`, where only the order tells which is which. */
export function storedWeights(
  file: Hdf5File,
  model: Hdf5Object,
  layers: readonly KerasLayer[],
  reject: Reject,
): WeightScope {
  const container = containers.map((name) => file.child(model, name)).find((group) => group !== undefined);
  const names = groupNames(layers);
  const groupOf = (layer: KerasLayer): Hdf5Object | undefined => {
    if (container === undefined) return undefined;
    const counted = names.get(layer);
    const group = counted === undefined ? undefined : file.child(container, counted);
    if (group === undefined) return undefined;
    // Newer versions say whose weights they are: what was renamed by hand would be another's.
    const said = file.child(group, 'vars')?.attributes.get('name')?.values[0];
    if (said !== undefined && said !== layer.name) {
      const own = [...container.links.keys()]
        .map((name) => file.child(container, name)!)
        .filter((other) => file.child(other, 'vars')?.attributes.get('name')?.values[0] === layer.name);
      return own.length === 1
        ? own[0]
        : reject(`the weights '${counted}' must be those of layer ${showValue(layer.name)}`, showValue(said));
    }
    return group;
  };
  return {
    of(layer, wantedNames, refuse) {
      const wanted = wantedNames.map(wantedWeight);
      const group = groupOf(layer);
      const variables = group === undefined ? undefined : file.child(group, 'vars');
      const count = variables?.links.size ?? 0;
      const required = wanted.filter(({ isOptional }) => !isOptional).length;
      if (variables === undefined || count < required || count > wanted.length)
        return refuse(`it has ${count} stored weights in place of ${required}`);
      return Array.from({ length: count }, (_, index): HostTensor => {
        const dataset = file.child(variables, String(index))?.dataset;
        const tensor = dataset && decodeDataset(dataset);
        return tensor ?? refuse(`its stored weight ${index} is no array of numbers`);
      });
    },
    inside(layer) {
      const group = groupOf(layer);
      const inner = layer.inner?.layers ?? [];
      const empty: Hdf5Object = { links: new Map(), attributes: new Map() };
      return storedWeights(file, group ?? empty, inner, reject);
    },
  };
}
