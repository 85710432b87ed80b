import type { ActivationFunction, Graph, ModelNode, Padding2d, Preprocessing, Size2d } from '@dafl/core';
import { showValue } from '../_show-value.ts';
import type { JsonValue } from './_parse-json.ts';
import type { Reject } from './_reject.ts';

/** Turns a JSON value into a field's value. `place` is how errors call it. */
type Reader<T> = (value: JsonValue, place: string, reject: Reject) => T;

/** A reader for each field of `T`; those that may be absent are marked. */
type FieldReaders<T> = {
  readonly [Field in keyof T]-?: object extends Pick<T, Field>
    ? { readonly optional: Reader<NonNullable<T[Field]>> }
    : Reader<T[Field]>;
};

/** What a node of a kind has beside its name, kind and inputs. */
type NodeFields<Kind extends ModelNode['kind']> = Omit<Extract<ModelNode, { kind: Kind }>, 'kind' | 'name' | 'inputs'>;

const MOST_NODES = 10_000;
/** Larger numbers are no sizes, and sums and products of a few stay far from what a float64 counts exactly. */
const LARGEST_SIZE = 2 ** 31;
/** Kernels take at most rank 6, the batch included. */
const HIGHEST_RANK = 5;
/** Names of classes that are accepted. */
const MOST_CLASSES = 65_536;

const integer =
  (least: number): Reader<number> =>
  (value, place, reject) =>
    Number.isInteger(value) && (value as number) >= least && (value as number) <= LARGEST_SIZE && !Object.is(value, -0)
      ? (value as number)
      : reject(`${place} must be an integer >= ${least} and <= ${LARGEST_SIZE}`, showValue(value));

const number =
  (rule: string, holds: (value: number) => boolean): Reader<number> =>
  (value, place, reject) =>
    typeof value === 'number' && Number.isFinite(value) && holds(value)
      ? value
      : reject(`${place} must be ${rule}`, showValue(value));

const boolean: Reader<boolean> = (value, place, reject) =>
  typeof value === 'boolean' ? value : reject(`${place} must be true or false`, showValue(value));

const oneOf =
  <const T extends string>(...allowed: readonly T[]): Reader<T> =>
  (value, place, reject) =>
    allowed.find((choice) => choice === value) ??
    reject(`${place} must be one of [${allowed.join(', ')}]`, showValue(value));

const matching =
  (pattern: RegExp, rule: string): Reader<string> =>
  (value, place, reject) =>
    typeof value === 'string' && pattern.test(value) ? value : reject(`${place} must be ${rule}`, showValue(value));

const list =
  <T>(item: Reader<T>, least: number, most: number): Reader<T[]> =>
  (value, place, reject) => {
    if (!Array.isArray(value) || value.length < least || value.length > most) {
      const length = least === most ? String(least) : most === Infinity ? `at least ${least}` : `${least} to ${most}`;
      const current = Array.isArray(value) && value.length > most ? `one of ${value.length}` : showValue(value);
      return reject(`${place} must be a list of ${length}`, current);
    }
    return value.map((entry: JsonValue, index) => item(entry, `${place}[${index}]`, reject));
  };

/** One number for each channel. */
const perChannel = (rule: string, holds: (value: number) => boolean) => list(number(rule, holds), 1, LARGEST_SIZE);

const size: Reader<Size2d> = (value, place, reject) => list(integer(1), 2, 2)(value, place, reject) as [number, number];

const padding: Reader<Padding2d> = (value, place, reject) =>
  readFields({ top: integer(0), bottom: integer(0), left: integer(0), right: integer(0) }, value, place, reject);

const nodeName = matching(/^[\w./-]{1,128}$/, "1 to 128 letters, digits or '._/-'");

const activationFunction: Reader<ActivationFunction> = oneOf(
  'relu',
  'relu6',
  'leakyRelu',
  'sigmoid',
  'hardSigmoid',
  'hardSwish',
  'silu',
  'gelu',
  'tanh',
  'softmax',
);

/** The fields of each kind of node, in the order in which they are written. */
const nodeFields: { readonly [Kind in ModelNode['kind']]: FieldReaders<NodeFields<Kind>> } = {
  conv2d: {
    filters: integer(1),
    kernelSize: size,
    strides: size,
    padding,
    dilations: size,
    groups: integer(1),
    useBias: boolean,
  },
  dense: { units: integer(1), useBias: boolean },
  batchNorm: {
    epsilon: number('a number > 0', (value) => value > 0),
    momentum: number('a number in [0, 1]', (value) => value >= 0 && value <= 1),
    affine: boolean,
  },
  activation: {
    function: activationFunction,
    slope: { optional: number('a number >= 0', (value) => value >= 0) },
  },
  affine: { factor: perChannel('a number', () => true), summand: perChannel('a number', () => true) },
  maxPool2d: { windowSize: size, strides: size, padding },
  averagePool2d: { windowSize: size, strides: size, padding, countsPadding: boolean },
  globalAveragePool2d: {},
  add: {},
  multiply: {},
  concat: {},
  pad2d: { padding },
  upsampleNearest2d: { factors: size },
  reshape: { shape: list(integer(1), 1, HIGHEST_RANK) },
  flatten: { order: oneOf('hwc', 'chw') },
  dropout: { rate: number('a number in [0, 1)', (value) => value >= 0 && value < 1) },
};

const isKind = (value: JsonValue | undefined): value is ModelNode['kind'] =>
  typeof value === 'string' && Object.hasOwn(nodeFields, value);

const node: Reader<ModelNode> = (value, place, reject) => {
  const fields = asObject(value, place, reject);
  const name = fields.get('name');
  const called = typeof name === 'string' ? `${place} ${showValue(name)}` : place;
  const kind = fields.get('kind');
  if (!isKind(kind)) {
    return reject(`kind of ${called} must be one of [${Object.keys(nodeFields).join(', ')}]`, showValue(kind));
  }
  const readers = {
    name: nodeName,
    kind: oneOf(kind),
    inputs: list(nodeName, 1, MOST_NODES),
    ...nodeFields[kind],
  } as FieldReaders<ModelNode>;
  const read = readFields(readers, value, called, reject);
  if (read.kind === 'activation' && read.slope !== undefined && read.function !== 'leakyRelu') {
    reject(`slope of ${called} must be absent but for leakyRelu`, showValue(read.slope));
  }
  return read;
};

const roleName = /^[a-z][a-zA-Z0-9]{0,63}$/;

const outputs: Reader<Record<string, string>> = (value, place, reject) => {
  const roles = [...asObject(value, place, reject)];
  if (roles.length < 1 || roles.length > 64) reject(`${place} must name 1 to 64 nodes`, String(roles.length));
  return Object.fromEntries(
    roles.map(([role, name]) => {
      if (!roleName.test(role)) reject(`${place} must have roles of letters and digits`, showValue(role));
      return [role, nodeName(name, `output ${showValue(role)}`, reject)];
    }),
  );
};

const preprocessing: Reader<Preprocessing> = (value, place, reject) =>
  readFields(
    {
      resize: oneOf('bilinear'),
      mean: perChannel('a number', () => true),
      standardDeviation: perChannel('a number > 0', (deviation) => deviation > 0),
    },
    value,
    place,
    reject,
  );

/** No control, format, separator or unpaired surrogate characters: names are shown on terminals and pages. */
const shownName = matching(/^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]{1,128}$/u, '1 to 128 printable characters');

const graphFields: FieldReaders<Graph> = {
  name: shownName,
  inputShape: list(integer(1), 1, HIGHEST_RANK),
  nodes: list(node, 1, MOST_NODES),
  outputs,
  preprocessing: { optional: preprocessing },
  classNames: { optional: list(shownName, 2, MOST_CLASSES) },
};

/**
 * Checks that a JSON value is a graph, field by field, and copies it: each field that core's types name is there and in
 * its range, no other is. Whether the nodes fit together is `inferShapes`'s to say.
 *
 * The copy's fields have a fixed order, so that equal graphs are written as equal text.
 */
export function parseGraph(value: JsonValue, reject: Reject): Graph {
  const graph = readFields(graphFields, value, 'graph', reject);
  const channels = graph.inputShape[graph.inputShape.length - 1];
  for (const field of ['mean', 'standardDeviation'] as const) {
    const given = graph.preprocessing?.[field].length;
    if (given !== undefined && given !== channels) {
      reject(`${field} of preprocessing must have one value for each of ${channels} channels`, String(given));
    }
  }
  return graph;
}

function asObject(value: JsonValue, place: string, reject: Reject): ReadonlyMap<string, JsonValue> {
  return value instanceof Map ? value : reject(`${place} must be an object`, showValue(value));
}

function readFields<T>(readers: FieldReaders<T>, value: JsonValue, place: string, reject: Reject): T {
  const fields = asObject(value, place, reject);
  const known = Object.keys(readers) as (keyof T & string)[];
  for (const field of fields.keys()) {
    if (!Object.hasOwn(readers, field)) {
      reject(`${place} must have only the fields [${known.join(', ')}]`, showValue(field));
    }
  }
  const result: Partial<Record<keyof T, unknown>> = {};
  for (const field of known) {
    const entry: Reader<unknown> | { readonly optional: Reader<unknown> } = readers[field];
    const given = fields.get(field);
    const reader = typeof entry === 'function' ? entry : entry.optional;
    if (given !== undefined) result[field] = reader(given, place === 'graph' ? field : `${field} of ${place}`, reject);
    else if (typeof entry === 'function')
      reject(`${place} must have the field '${field}'`, showValue([...fields.keys()]));
  }
  return result as T;
}
