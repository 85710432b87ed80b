import { type ActivationFunction, showValue } from '@dafl/core';
import type { JsonObject, JsonValue } from '../_parse-json.ts';
import { combine, scaleBy } from '../onnx/broadcast.ts';
import type { Activation, NodeFields } from '../onnx/graph-builder.ts';
import { limitTo, scalar } from '../onnx/lower-arithmetic.ts';
import { softmaxAlong } from '../onnx/lower-activations.ts';
import type { LoweringSite } from '../onnx/operator-node.ts';
import type { Dialect, LayerLowerings, LayerSite } from './layer-site.ts';

/** Makes any difference that float32 tells from 0 at least 1. */
const STEEP = 1e30;

function bend(site: LoweringSite, input: Activation, fields: NodeFields): Activation {
  return site.builder.map(site.name, input, fields);
}

const plainly =
  (name: ActivationFunction) =>
  (site: LoweringSite, input: Activation): Activation =>
    bend(site, input, { kind: 'activation', function: name });

const leaky = (site: LoweringSite, input: Activation, slope: number): Activation => {
  if (slope === 0) return plainly('relu')(site, input);
  if (slope === 1) return input;
  if (slope > 0) return bend(site, input, { kind: 'activation', function: 'leakyRelu', slope });
  const negative = plainly('relu')(site, scaleBy(site, input, scalar(-1)));
  return combine(site, 'subtract', plainly('relu')(site, input), scaleBy(site, negative, scalar(slope)));
};

/** The input where it is above a threshold, slope x (input - threshold) elsewhere. */
function rectifyAbove(site: LoweringSite, input: Activation, threshold: number, slope: number): Activation {
  if (threshold === 0) return leaky(site, input, slope);
  const above = scaleBy(site, input, undefined, scalar(-threshold));
  const gate = limitTo(site, scaleBy(site, above, scalar(STEEP)), 0, 1);
  const kept = combine(site, 'multiply', input, gate);
  if (slope === 0) return kept;
  const below = plainly('relu')(site, scaleBy(site, above, scalar(-1)));
  return combine(site, 'subtract', kept, scaleBy(site, below, scalar(slope)));
}

/** Functions by the names that Keras gives them. */
const functions: Readonly<Record<string, (site: LoweringSite, input: Activation, dialect: Dialect) => Activation>> = {
  linear: (_, input) => input,
  relu: plainly('relu'),
  relu6: plainly('relu6'),
  leaky_relu: (site, input) => leaky(site, input, 0.2),
  elu: plainly('elu'),
  celu: plainly('elu'),
  selu: plainly('selu'),
  sigmoid: plainly('sigmoid'),
  tanh: plainly('tanh'),
  softplus: plainly('softplus'),
  softsign: plainly('softsign'),
  exponential: plainly('exp'),
  silu: plainly('silu'),
  swish: plainly('silu'),
  mish: plainly('mish'),
  gelu: plainly('gelu'),
  gelu_new: plainly('geluTanh'),
  hard_silu: plainly('hardSwish'),
  hard_swish: plainly('hardSwish'),
  // Keras 3 has the slope of PyTorch, those before 1 / 5.
  hard_sigmoid: (site, input, dialect) =>
    bend(site, input, {
      kind: 'activation',
      function: 'hardSigmoid',
      ...(dialect !== 'keras3' && { alpha: 0.2, beta: 0.5 }),
    }),
  hard_tanh: (site, input) => limitTo(site, input, -1, 1),
  tanh_shrink: (site, input) => combine(site, 'subtract', input, plainly('tanh')(site, input)),
  log_sigmoid(site, input) {
    const decayed = plainly('softplus')(site, scaleBy(site, input, scalar(-1)));
    return scaleBy(site, decayed, scalar(-1));
  },
  softmax: (site, input) => softmaxAlong(site, input, input.shape.length - 1, false),
  log_softmax: (site, input) => softmaxAlong(site, input, input.shape.length - 1, true),
};

/** The name under which a config has a function: as text, or as an object of its class. */
function nameOf(value: JsonValue): { name: string; config: JsonObject } | undefined {
  if (typeof value === 'string') return { name: value, config: new Map() };
  if (!(value instanceof Map)) return undefined;
  const fields: JsonObject = value;
  const [className, config] = [fields.get('class_name'), fields.get('config')];
  if (className === 'function' && typeof config === 'string') return { name: config, config: new Map() };
  if (typeof className !== 'string') return undefined;
  return { name: className, config: config instanceof Map ? (config as JsonObject) : new Map<string, JsonValue>() };
}

/** Whether a function is known by name, whatever it is given. */
export function isActivationName(name: string): boolean {
  return Object.hasOwn(functions, name);
}

/** Bends a value by a function that is known by name. */
export function bendBy(site: LoweringSite, input: Activation, name: string, dialect: Dialect): Activation {
  const known = name.toLowerCase();
  return isActivationName(known)
    ? functions[known](site, input, dialect)
    : site.refuse(`its activation is ${showValue(name)}`);
}

/** What a layer's `activation` makes of its result. */
export function activate(site: LayerSite, value: Activation): Activation {
  const given = site.get('activation');
  if (given === undefined) return value;
  const found = nameOf(given);
  if (found === undefined) return site.refuse('its activation has no name');
  if (found.name === 'linear') return value;
  const inner: LoweringSite = {
    name: site.className === 'Activation' ? site.name : `${site.name}/${found.name.toLowerCase()}`,
    builder: site.builder,
    refuse: (reason) => site.refuse(reason),
  };
  const layer = rectifiers[found.name];
  const { config } = found;
  if (layer !== undefined) {
    const number = (key: string): number | undefined => {
      const setting = config.get(key);
      return typeof setting === 'number' ? setting : undefined;
    };
    return layer(inner, value, number);
  }
  return bendBy(inner, value, found.name, site.dialect);
}

/** Layers that bend, which may also stand as another layer's activation. */
const rectifiers: Readonly<
  Record<string, (site: LoweringSite, input: Activation, number: (key: string) => number | undefined) => Activation>
> = {
  ReLU(site, input, number) {
    const most = number('max_value');
    const threshold = number('threshold') ?? 0;
    const slope = number('negative_slope') ?? 0;
    if (threshold === 0 && slope === 0) return limitTo(site, input, 0, most ?? Infinity);
    const bent = rectifyAbove(site, input, threshold, slope);
    return most === undefined ? bent : limitTo(site, bent, -Infinity, most);
  },
  LeakyReLU: (site, input, number) => leaky(site, input, number('negative_slope') ?? number('alpha') ?? 0.3),
  ThresholdedReLU: (site, input, number) => rectifyAbove(site, input, number('theta') ?? 1, 0),
  ELU: (site, input, number) => bend(site, input, { kind: 'activation', function: 'elu', alpha: number('alpha') ?? 1 }),
};

const rectifierLayers: LayerLowerings = Object.fromEntries(
  Object.entries(rectifiers).map(([name, layer]) => [
    name,
    (site: LayerSite) => layer(site, site.input, (key) => site.optionalNumber(key)),
  ]),
);

/** Layers that bend each element. */
export const lowerActivation: LayerLowerings = {
  ...rectifierLayers,

  Activation: (site) => activate(site, site.input),

  PReLU(site) {
    const { input } = site;
    const [alpha] = site.weights(['alpha']);
    const rank = input.shape.length;
    // One slope for each entry of the last axis, or for each element.
    const wide = alpha.shape.flatMap((size, axis) => (size === 1 ? [] : [axis + 1]));
    if (
      alpha.shape.length !== rank - 1 ||
      alpha.shape.some((size, axis) => size !== 1 && size !== input.shape[axis + 1])
    )
      site.refuse(`its slopes [${alpha.shape.join(', ')}] do not fit [${input.shape.slice(1).join(', ')}]`);
    if (wide.length === 1) {
      const order = [...input.order.filter((axis) => axis !== wide[0]), wide[0]];
      const weights = { slope: { shape: [alpha.data.length], data: alpha.data } };
      return site.builder.map(site.name, site.builder.arrange(site.name, input, order), { kind: 'prelu' }, weights);
    }
    const negative = plainly('relu')(site, scaleBy(site, input, scalar(-1)));
    const slope = { shape: [1, ...alpha.shape], values: alpha.data, dataType: 1 };
    return combine(site, 'subtract', plainly('relu')(site, input), combine(site, 'multiply', negative, slope));
  },

  Softmax(site) {
    const axes = site.numbers('axis') ?? [-1];
    if (axes.length !== 1) site.refuse(`its axes are [${axes.join(', ')}]: only one is supported`);
    return softmaxAlong(site, site.input, site.axis(axes[0]), false);
  },
};
