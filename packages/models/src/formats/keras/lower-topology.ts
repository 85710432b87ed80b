import { showValue } from '@dafl/core';
import type { Reject } from '../_reject.ts';
import type { Activation, GraphBuilder } from '../onnx/graph-builder.ts';
import { UnsupportedError } from '../onnx/unsupported-error.ts';
import {
  type CallArgument,
  isList,
  isReference,
  type KerasLayer,
  type KerasTopology,
  type LayerCall,
  referencesOf,
  type TensorReference,
} from './keras-topology.ts';
import { type Dialect, type LayerLowerings, LayerSite } from './layer-site.ts';
import { lowerActivation } from './lower-activation.ts';
import { lowerConvolution } from './lower-convolution.ts';
import { lowerMerging } from './lower-merging.ts';
import { lowerNormalization } from './lower-normalization.ts';
import { isOperation, lowerOperation } from './lower-operation.ts';
import { lowerPooling } from './lower-pooling.ts';
import { lowerShape } from './lower-shape.ts';
import type { WeightScope } from './weight-scope.ts';

/** Layers by class. */
const lowerings: LayerLowerings = {
  ...lowerActivation,
  ...lowerConvolution,
  ...lowerMerging,
  ...lowerNormalization,
  ...lowerPooling,
  ...lowerShape,
};

/** Layers that do something in training alone. */
const vanishing: ReadonlySet<string> = new Set([
  'ActivityRegularization',
  'AlphaDropout',
  'Dropout',
  'DropConnect',
  'FixedDropout',
  'GaussianDropout',
  'GaussianNoise',
  'Identity',
  'SpatialDropout1D',
  'SpatialDropout2D',
  'StochasticDepth',
]);

/** Layers that change pictures in training alone. */
const augmentations: ReadonlySet<string> = new Set([
  'AugMix',
  'CutMix',
  'Equalization',
  'MixUp',
  'RandAugment',
  'Solarization',
]);

/** RandomCrop makes pictures of its own size, in training or not. */
const isAugmentation = (className: string): boolean =>
  (/^Random[A-Z]/.test(className) && className !== 'RandomCrop') || augmentations.has(className);

/** What holds code, with what is said of it. */
const codeLayers: Readonly<Record<string, string>> = {
  Lambda: 'it holds code, which is not run',
  TorchModuleWrapper: 'it holds code, which is not run',
  JaxLayer: 'it holds code, which is not run',
  TFSMLayer: 'it names another file, which is not opened',
};

/** Stands for what a refused layer would have made. */
const unknown = Symbol('unknown');
type Known = Activation | typeof unknown;

/** A model within models may be called again and again. */
const MOST_CALLS = 20_000;

/** What a model is lowered with. */
export interface TopologyOptions {
  readonly builder: GraphBuilder;
  readonly dialect: Dialect;
  readonly reject: Reject;
}

/**
 * Turns the layers of a model into dafl's nodes. Those that can't be are all named at once.
 *
 * @param inputs What the model is called with.
 * @returns Its outputs.
 */
export function lowerTopology(
  root: KerasTopology,
  inputs: readonly Activation[],
  weights: WeightScope,
  { builder, dialect, reject }: TopologyOptions,
): readonly Activation[] {
  const refused: string[] = [];
  const left = new Set<string>();
  let calls = 0;

  function lowerModel(topology: KerasTopology, given: readonly Known[], scope: WeightScope, path: string): Known[] {
    const { layers } = topology;
    const values = new Map<string, Known>();
    const byName = new Map(layers.map((layer) => [layer.name, layer]));
    const place = (layer: KerasLayer, call: number, output: number): string => `${call}:${output}:${layer.name}`;
    // Keras 2 counts the calls of a model from 1 where it was made with an input.
    const shifts = new Map<string, number>();
    const all = [...layers.flatMap((layer) => layer.calls.flatMap(referencesOf)), ...topology.outputs];
    for (const { layer: name, call } of all) {
      const layer = byName.get(name);
      if (layer?.inner !== undefined && call >= layer.calls.length) shifts.set(name, 1);
    }
    const keyOf = ({ layer: name, call, output }: TensorReference): string => {
      const layer = byName.get(name) ?? reject('each layer must read another of its model', showValue(name));
      return place(layer, call - (shifts.get(name) ?? 0), output);
    };
    if (given.length !== topology.inputs.length)
      reject(`model ${showValue(topology.name)} must have as many inputs as it is called with`, String(given.length));
    topology.inputs.forEach((reference, index) => values.set(keyOf(reference), given[index]));

    // Calls wait for what they read.
    const ready: { layer: KerasLayer; call: LayerCall; index: number }[] = [];
    const waiting = new Map<string, { layer: KerasLayer; call: LayerCall; index: number; missing: number }[]>();
    let pending = 0;
    for (const layer of layers) {
      for (const [index, call] of layer.calls.entries()) {
        const keys = new Set(referencesOf(call).map(keyOf));
        const missing = [...keys].filter((key) => !values.has(key));
        const entry = { layer, call, index, missing: missing.length };
        pending++;
        if (missing.length === 0) ready.push(entry);
        for (const key of missing) waiting.set(key, [...(waiting.get(key) ?? []), entry]);
      }
    }
    const shared = new Set<string>();
    for (const { layer, call, index } of ready) {
      pending--;
      if (++calls > MOST_CALLS) reject(`its layers must be called at most ${MOST_CALLS} times`, 'more often');
      const results = lowerCall(layer, call, (reference) => values.get(keyOf(reference))!, scope, path);
      if (index > 0 && !shared.has(layer.name)) shared.add(layer.name);
      for (const [output, value] of results.entries()) {
        const key = place(layer, index, output);
        if (values.has(key)) reject('each layer must give its results once', showValue(layer.name));
        values.set(key, value);
        for (const entry of waiting.get(key) ?? []) if (--entry.missing === 0) ready.push(entry);
        waiting.delete(key);
      }
    }
    const outputs = topology.outputs.map((reference) => values.get(keyOf(reference)));
    if (pending > 0 || outputs.includes(undefined)) {
      const names = [...new Set([...waiting.values()].flat().map(({ layer }) => layer.name))];
      reject('each layer must read what others make before it', `none for ${showValue(names.slice(0, 5))}`);
    }
    for (const name of shared) {
      if ([...builder.weights.keys()].some((weight) => weight.startsWith(`${path}${name}.`)))
        left.add(`Layer '${path}${name}' is called more than once: each call has its weights as its own from here on`);
    }
    return outputs as Known[];
  }

  function lowerCall(
    layer: KerasLayer,
    call: LayerCall,
    valueOf: (reference: TensorReference) => Known,
    scope: WeightScope,
    path: string,
  ): readonly Known[] {
    const { className } = layer;
    const references = referencesOf(call);
    const read = references.map(valueOf);
    if (layer.inner !== undefined) return lowerModel(layer.inner, read, scope.inside(layer), `${path}${layer.name}/`);
    if (className === 'InputLayer') return [];
    const named = { ...layer, name: `${path}${layer.name}` };
    try {
      if (!layer.isOperation && (vanishing.has(className) || isAugmentation(className))) {
        if (isAugmentation(className)) left.add('Layers that change pictures in training alone are left out');
        if (read.length === 0) throw new UnsupportedError('it reads nothing');
        return [read[0]];
      }
      const isLowered =
        layer.isOperation || isFunctionLayer(className) ? isOperation(layer) : Object.hasOwn(lowerings, className);
      if (!isLowered) throw new UnsupportedError(codeLayers[className] ?? '');
      // What can't be known for want of another layer is not held against one that could be read.
      if (read.includes(unknown)) return [unknown];
      const refuse = (reason: string): never => {
        throw new UnsupportedError(reason);
      };
      const known = read as readonly Activation[];
      const site = new LayerSite(named, known, builder, dialect, (names) => scope.of(layer, names, refuse));
      if (layer.isOperation || isFunctionLayer(className)) {
        return [lowerOperation(site, layer, call, (reference) => valueOf(reference) as Activation)];
      }
      if (call.arguments.some(isValue)) refuse('it is called with values that are no tensors');
      return [lowerings[className](site)];
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error;
      refused.push(`${className} ${showValue(named.name)}${error.message && ` (${error.message})`}`);
      return [unknown];
    }
  }

  const outputs = lowerModel(root, inputs, weights, '');
  if (refused.length > 0) {
    reject(
      'its layers must be ones that this version of dafl can turn into its own',
      `${refused.length === 1 ? 'one is not' : `${refused.length} are not`}: ${refused.join(', ')}`,
    );
  }
  if (outputs.includes(unknown)) reject('its outputs must depend on its input', showValue(root.name));
  for (const note of left) builder.notes.add(note);
  return outputs as Activation[];
}

function isValue(argument: CallArgument): boolean {
  if (isList(argument)) return argument.some(isValue);
  return !isReference(argument) && argument.value !== null;
}

/** Layers of Keras 2 that stand for functions of TensorFlow. */
function isFunctionLayer(className: string): boolean {
  return className === 'TFOpLambda';
}
