import { showValue } from '../show-value.ts';
import {
  asObject,
  exampleShape,
  type FieldReader,
  type FieldReaders,
  list,
  matching,
  number,
  oneOf,
  readFields,
  type Reject,
} from './field-readers.ts';
import type { Graph, ModelNode, Preprocessing } from './model.ts';
import { nodeKind, nodeKinds } from './node-kinds.ts';

const MOST_NODES = 10_000;
/** Names of classes that are accepted. */
const MOST_CLASSES = 65_536;

const nodeName = matching(/^[\w./-]{1,128}$/, "1 to 128 letters, digits or '._/-'");

const node: FieldReader<ModelNode> = (value, place, reject) => {
  const { name, kind } = asObject(value, place, reject);
  const called = typeof name === 'string' ? `${place} ${showValue(name)}` : place;
  const found = nodeKind(kind);
  if (found === undefined) {
    return reject(`kind of ${called} must be one of [${nodeKinds().join(', ')}]`, showValue(kind));
  }
  const readers = {
    name: nodeName,
    kind: oneOf(kind as string),
    inputs: list(nodeName, 0, MOST_NODES),
    ...found.fields,
  } as FieldReaders<ModelNode>;
  return readFields(readers, value, called, reject);
};

const roleName = /^[a-z][a-zA-Z0-9]{0,63}$/;

const outputs: FieldReader<Record<string, string>> = (value, place, reject) => {
  const roles = Object.entries(asObject(value, place, reject));
  if (roles.length < 1 || roles.length > 64) reject(`${place} must name 1 to 64 nodes`, String(roles.length));
  return Object.fromEntries(
    roles.map(([role, name]) => {
      if (!roleName.test(role)) reject(`${place} must have roles of letters and digits`, showValue(role));
      return [role, nodeName(name, `output ${showValue(role)}`, reject)];
    }),
  );
};

const preprocessing: FieldReader<Preprocessing> = (value, place, reject) =>
  readFields(
    {
      resize: oneOf('bilinear'),
      mean: list(number(), 1),
      standardDeviation: list(
        number('a number > 0', (deviation) => deviation > 0),
        1,
      ),
    },
    value,
    place,
    reject,
  );

/** No control, format, separator or unpaired surrogate characters: names are shown on terminals and pages. */
const shownName = matching(/^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]{1,128}$/u, '1 to 128 printable characters');

const graphFields: FieldReaders<Graph> = {
  name: shownName,
  inputShape: exampleShape,
  nodes: list(node, 1, MOST_NODES),
  outputs,
  preprocessing: { optional: preprocessing },
  classNames: { optional: list(shownName, 2, MOST_CLASSES) },
};

/**
 * Checks that a value is a graph, field by field, and copies it: each field that the types name is there and in its range,
 * no other is. Whether the nodes fit together is `inferShapes`'s to say.
 *
 * The copy's fields have a fixed order, so that equal graphs are written as equal text.
 *
 * @param reject Ends the reading: what must hold, and what is there.
 */
export function readGraph(value: unknown, reject: Reject): Graph {
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
