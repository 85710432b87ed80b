import type { ModelNode, Padding2d } from '@dafl/core';
import { averagePool2d, reshape, type Tape, type Value } from '@dafl/core/autodiff';

const NONE: Padding2d = { top: 0, bottom: 0, left: 0, right: 0 };

/** Whether a node's output is recorded. */
export function isRecorded(node: ModelNode): boolean {
  return node.kind === 'conv2d' || node.kind === 'dense';
}

/** A layer's output as rows of units: maps averaged over windows, then flattened. */
export function readUnits(tape: Tape, output: Value, poolSize: readonly [number, number] | null): Value {
  const [batch] = output.shape;
  const pooled =
    poolSize === null
      ? output
      : averagePool2d(tape, output, { windowSize: poolSize, strides: poolSize, padding: NONE, countsPadding: true });
  return reshape(tape, pooled, [batch, pooled.shape.slice(1).reduce((product, size) => product * size, 1)]);
}
