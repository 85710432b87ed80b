import { showValue } from '@dafl/core';
import type { JsonObject, JsonValue } from '../_parse-json.ts';
import type { Reject } from '../_reject.ts';

/** A node of TensorFlow's graph. */
export interface GraphDefNode {
  readonly name: string;
  readonly operator: string;
  /** Names of tensors: `conv`, or `split:1` of a node with several results. */
  readonly inputs: readonly string[];
  readonly attributes: JsonObject;
}

const MOST_NODES = 20_000;
const MOST_INPUTS = 2 ** 16;

/** Reads the nodes of a GraphDef that was written as JSON. */
export function readGraphDef(topology: JsonObject, reject: Reject): GraphDefNode[] {
  const nodes = topology.get('node');
  if (!Array.isArray(nodes)) return reject("its graph must hold a list 'node'", showValue(nodes));
  if (nodes.length > MOST_NODES) reject(`it must have at most ${MOST_NODES} nodes`, String(nodes.length));
  const names = new Set<string>();
  return nodes.map((value: JsonValue): GraphDefNode => {
    if (!(value instanceof Map)) return reject('each node must be an object', showValue(value));
    const fields: JsonObject = value;
    const [name, operator, inputs = [], attributes = new Map()] = ['name', 'op', 'input', 'attr'].map(
      (key) => fields.get(key) ?? undefined,
    );
    if (typeof name !== 'string' || typeof operator !== 'string' || name === '')
      return reject("each node must have texts 'name' and 'op'", `${showValue(name)} and ${showValue(operator)}`);
    if (names.has(name)) reject('each node must have a name of its own', `${showValue(name)} twice`);
    names.add(name);
    const isList = Array.isArray(inputs) && inputs.length <= MOST_INPUTS;
    if (!isList || !inputs.every((input): input is string => typeof input === 'string') || !(attributes instanceof Map))
      return reject(`node ${showValue(name)} must have a list of inputs and an object of attributes`, 'others');
    return {
      name,
      operator,
      // What begins with ^ says when, not what.
      inputs: inputs.filter((input) => !input.startsWith('^')).map((input) => input.replace(/:0$/, '')),
      attributes: attributes as JsonObject,
    };
  });
}

/** Text, which JSON has in base 64. */
export function decodeBase64(text: string): string {
  try {
    return atob(text);
  } catch {
    return text;
  }
}
