import { type Graph, readGraph } from '@dafl/core';
import type { JsonValue } from './_parse-json.ts';
import type { Reject } from './_reject.ts';

/**
 * Checks that a JSON value is a graph, field by field, and copies it: see core's `readGraph`. Whether the nodes fit
 * together is `inferShapes`'s to say.
 */
export function parseGraph(value: JsonValue, reject: Reject): Graph {
  return readGraph(toPlain(value), reject);
}

/** Objects in place of maps. Their keys are own fields, whatever they are called. */
function toPlain(value: JsonValue): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, field]) => [key, toPlain(field)]));
  return Array.isArray(value) ? value.map(toPlain) : value;
}
