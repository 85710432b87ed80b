import { showValue } from '@dafl/core';
import type { JsonObject, JsonValue } from '../_parse-json.ts';
import type { Reject } from '../_reject.ts';

/** The tensor that a layer gave in one of its calls. */
export interface TensorReference {
  readonly layer: string;
  readonly call: number;
  readonly output: number;
}

/** What a layer is called with: tensors, lists of them, or plain values. */
export type CallArgument = TensorReference | { readonly value: JsonValue } | readonly CallArgument[];

/** One call of a layer. */
export interface LayerCall {
  readonly arguments: readonly CallArgument[];
  readonly options: ReadonlyMap<string, CallArgument>;
}

/** A layer, or a model as a layer. */
export interface KerasLayer {
  readonly className: string;
  readonly name: string;
  readonly config: JsonObject;
  /** Whether it is a function of Keras 3 that was called on tensors (`x + y`): those have no weights. */
  readonly isOperation: boolean;
  readonly calls: readonly LayerCall[];
  /** Of a model. */
  readonly inner?: KerasTopology;
}

/** A Sequential or Functional model. */
export interface KerasTopology {
  readonly name: string;
  readonly layers: readonly KerasLayer[];
  readonly inputs: readonly TensorReference[];
  readonly outputs: readonly TensorReference[];
}

/** More layers are no classifier. */
const MOST_LAYERS = 10_000;
const MOST_ARGUMENTS = 10_000;

/** Whether a call's argument is a tensor. */
export function isReference(argument: CallArgument): argument is TensorReference {
  return 'layer' in argument;
}

/** Whether a call's argument is a list of others. */
export function isList(argument: CallArgument): argument is readonly CallArgument[] {
  return Array.isArray(argument);
}

/** The tensors among a call's arguments, in order. */
export function referencesOf(call: LayerCall): TensorReference[] {
  const collect = (argument: CallArgument): TensorReference[] =>
    isList(argument) ? argument.flatMap(collect) : isReference(argument) ? [argument] : [];
  return [...call.arguments, ...call.options.values()].flatMap(collect);
}

/** Reads the architecture of a model: `{"class_name": ..., "config": ...}`, of Keras 1 to 3 or TensorFlow.js. */
export function readTopology(model: JsonValue | undefined, reject: Reject): KerasTopology {
  let count = 0;

  const asObject = (value: JsonValue | undefined, what: string): JsonObject =>
    value instanceof Map ? (value as JsonObject) : reject(`${what} must be an object`, showValue(value));
  const asList = (value: JsonValue | undefined, what: string): readonly JsonValue[] =>
    Array.isArray(value) ? (value as readonly JsonValue[]) : reject(`${what} must be a list`, showValue(value));
  const asText = (value: JsonValue | undefined, what: string): string =>
    typeof value === 'string' ? value : reject(`${what} must be text`, showValue(value));

  function readReference(value: JsonValue, what: string): TensorReference {
    const [layer, call, output] = asList(value, what);
    const isIndex = (index: JsonValue | undefined): index is number =>
      Number.isInteger(index) && (index as number) >= 0;
    if (!isIndex(call) || !isIndex(output))
      return reject(`${what} must be [layer, call, output]`, showValue(plain(value)));
    return { layer: asText(layer, what), call, output };
  }

  /** `[["a", 0, 0], ["b", 0, 0]]`, or one alone, or several by name. */
  function readReferences(value: JsonValue | undefined, what: string): TensorReference[] {
    if (value instanceof Map) return [...value.values()].flatMap((entry: JsonValue) => readReferences(entry, what));
    const entries = asList(value, what);
    if (typeof entries[0] === 'string') return [readReference(entries, what)];
    return entries.flatMap((entry) => readReferences(entry, what));
  }

  function readArgument(value: JsonValue, what: string): CallArgument {
    if (Array.isArray(value)) return value.map((entry: JsonValue) => readArgument(entry, what));
    if (!(value instanceof Map)) return { value };
    const fields: JsonObject = value;
    if (fields.get('class_name') !== '__keras_tensor__') return { value };
    return readReference(asObject(fields.get('config'), what).get('keras_history') ?? null, what);
  }

  /** The calls of a layer, in the form of Keras 3 (objects) or of those before (lists). */
  function readCalls(value: JsonValue | undefined, what: string): LayerCall[] {
    if (value === undefined || value === null) return [];
    return asList(value, what).map((entry): LayerCall => {
      if (entry instanceof Map) {
        const fields: JsonObject = entry;
        const options = asObject(fields.get('kwargs') ?? new Map(), what);
        return {
          arguments: asList(fields.get('args'), what).map((argument) => readArgument(argument, what)),
          options: new Map([...options].map(([name, option]) => [name, readArgument(option, what)])),
        };
      }
      const tensors = asList(entry, what);
      if (tensors.length > MOST_ARGUMENTS)
        reject(`${what} must have at most ${MOST_ARGUMENTS} tensors`, String(tensors.length));
      // One tensor alone may stand without a list of its own.
      const list = typeof tensors[0] === 'string' ? [tensors] : tensors;
      const options = new Map<string, CallArgument>();
      const inputs = list.map((tensor) => {
        const given = asList(tensor, what)[3];
        if (given instanceof Map)
          for (const [name, option] of given as JsonObject) options.set(name, readOption(option));
        return readReference(tensor, what);
      });
      return { arguments: inputs.length === 1 ? inputs : [inputs], options };
    });
  }

  /** A tensor among named arguments of Keras 2 is a list that begins with a layer's name. */
  function readOption(value: JsonValue): CallArgument {
    const isTensor =
      Array.isArray(value) && value.length >= 3 && typeof value[0] === 'string' && Number.isInteger(value[1]);
    return isTensor ? readReference(value as readonly JsonValue[], 'a named argument') : { value };
  }

  function readLayer(value: JsonValue): KerasLayer {
    if (++count > MOST_LAYERS) reject(`it must have at most ${MOST_LAYERS} layers`, 'more');
    const fields = asObject(value, 'a layer');
    const className = asText(fields.get('class_name'), "a layer's 'class_name'");
    const given = fields.get('config') ?? new Map<string, JsonValue>();
    const isModel = isModelClass(className) || (given instanceof Map && (given as JsonObject).has('layers'));
    const config = given instanceof Map ? (given as JsonObject) : new Map<string, JsonValue>();
    const name = asText(fields.get('name') ?? config.get('name') ?? className, "a layer's 'name'");
    const inner =
      isModel && (given instanceof Map || Array.isArray(given)) ? readModel(className, given, name) : undefined;
    return {
      className,
      name,
      config,
      isOperation: isOperationOf(fields, config),
      calls: readCalls(fields.get('inbound_nodes'), `the calls of layer ${showValue(name)}`),
      ...(inner !== undefined && { inner }),
    };
  }

  function readModel(className: string, config: JsonValue, givenName: string): KerasTopology {
    const fields: JsonObject = config instanceof Map ? config : new Map<string, JsonValue>();
    // Keras 1 wrote the layers of a Sequential model as its config.
    const entries = asList(Array.isArray(config) ? config : fields.get('layers'), "a model's 'layers'");
    const layers = entries.map(readLayer);
    const givenOwn = fields.get('name');
    const name = typeof givenOwn === 'string' ? givenOwn : givenName;
    const names = new Set<string>();
    for (const layer of layers) {
      if (names.has(layer.name)) reject('each layer must have a name of its own', `${showValue(layer.name)} twice`);
      names.add(layer.name);
    }
    if (className !== 'Sequential') {
      return {
        name,
        layers,
        inputs: readReferences(fields.get('input_layers'), "'input_layers'"),
        outputs: readReferences(fields.get('output_layers'), "'output_layers'"),
      };
    }
    const chain = layers[0]?.className === 'InputLayer' ? layers : [inputOf(layers[0], fields, names), ...layers];
    return {
      name,
      layers: chain.map((layer, index) => ({
        ...layer,
        calls:
          index === 0
            ? []
            : [
                {
                  arguments: [{ layer: chain[index - 1].name, call: 0, output: 0 }],
                  options: new Map<string, never>(),
                },
              ],
      })),
      inputs: [{ layer: chain[0].name, call: 0, output: 0 }],
      outputs: [{ layer: chain[chain.length - 1].name, call: 0, output: 0 }],
    };
  }

  const root = asObject(model, 'its model');
  const className = asText(root.get('class_name'), "its model's 'class_name'");
  const config = root.get('config');
  const hasLayers = Array.isArray(config) || (config instanceof Map && (config as JsonObject).has('layers'));
  if (!hasLayers) {
    return reject(
      'its model must be Sequential or Functional: the layers of others are code, which the file does not hold',
      showValue(className),
    );
  }
  return readModel(className, config, className.toLowerCase());
}

/** Functions of Keras 3 are told by where they stand, and in `.h5` files, which do not say so, by a config of a name alone. */
function isOperationOf(layer: JsonObject, config: JsonObject): boolean {
  const module = layer.get('module');
  if (typeof module === 'string') return module.startsWith('keras.src.ops');
  const calls = layer.get('inbound_nodes');
  const isKeras3 = Array.isArray(calls) && calls[0] instanceof Map;
  return isKeras3 && !config.has('trainable') && !config.has('batch_shape');
}

function isModelClass(className: string): boolean {
  return className === 'Sequential' || className === 'Functional' || className === 'Model';
}

/** The input of a Sequential model that begins with another layer, which says its shape or which was built for one. */
function inputOf(first: KerasLayer | undefined, model: JsonObject, taken: ReadonlySet<string>): KerasLayer {
  let name = 'input';
  while (taken.has(name)) name += '_';
  const config = new Map<string, JsonValue>();
  let leaf = first;
  while (leaf?.inner !== undefined) leaf = leaf.inner.layers[0];
  for (const source of [leaf?.config, model]) {
    for (const key of ['batch_shape', 'batch_input_shape', 'build_input_shape']) {
      const shape = source?.get(key);
      if (Array.isArray(shape) && !config.has('batch_shape')) config.set('batch_shape', shape);
    }
  }
  return { className: 'InputLayer', name, config, isOperation: false, calls: [] };
}

/** A JSON value as errors show it. */
function plain(value: JsonValue): unknown {
  return value instanceof Map ? Object.fromEntries(value as JsonObject) : value;
}
