import type { TraceValue } from './graph-builder.ts';

/** What was found by the shape of an activation, in which the batch is 1. */
const found = new WeakSet<TraceValue>();

/** Says of a constant that it follows from an activation's shape. */
export function markAsFollowing(constant: TraceValue): void {
  found.add(constant);
}

/** Whether a constant says something of an activation's shape, not what the file has written down. */
export function followsFromInput(constant: TraceValue | undefined): boolean {
  return constant !== undefined && found.has(constant);
}
