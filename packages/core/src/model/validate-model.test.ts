import { describe, expect, it } from 'vitest';
import { denseNode } from '../_testing/nodes.ts';
import { DaflError } from '../errors.ts';
import type { Graph, HostTensor } from './model.ts';
import { validateModel } from './validate-model.ts';

const graph: Graph = {
  name: 'net',
  inputShape: [3],
  nodes: [denseNode('head', 'input', 2)],
  outputs: { logits: 'head' },
};

function validate(changes: Record<string, HostTensor | undefined>): () => void {
  const sound = {
    'head.kernel': { shape: [3, 2], data: new Float32Array(6) },
    'head.bias': { shape: [2], data: new Float32Array(2) },
  };
  const weights = Object.entries({ ...sound, ...changes }).filter(([, weight]) => weight !== undefined);
  return () => validateModel({ graph, weights: new Map(weights as [string, HostTensor][]) });
}

describe('validateModel', () => {
  it('takes a sound model', () => {
    expect(validate({})).not.toThrow();
  });

  it.each<[string, Record<string, HostTensor | undefined>]>([
    ["weight 'head.bias' must have shape [2]: current value is missing", { 'head.bias': undefined }],
    [
      "weight 'head.kernel' must have shape [3, 2]: current value is [2, 3] with 6 values",
      { 'head.kernel': { shape: [2, 3], data: new Float32Array(6) } },
    ],
    [
      "weight 'head.kernel' must have shape [3, 2]: current value is [6] with 6 values",
      { 'head.kernel': { shape: [6], data: new Float32Array(6) } },
    ],
    [
      "weight 'head.kernel' must have shape [3, 2]: current value is [3, 2] with 5 values",
      { 'head.kernel': { shape: [3, 2], data: new Float32Array(5) } },
    ],
    [
      "weight 'head.bias' must be finite: current value at 1 is NaN",
      { 'head.bias': { shape: [2], data: Float32Array.of(0, Number.NaN) } },
    ],
    [
      "weight 'head.bias' must be finite: current value at 0 is -Infinity",
      { 'head.bias': { shape: [2], data: Float32Array.of(-Infinity, 0) } },
    ],
    [
      "each weight must belong to a node: current value is 'head.scale'",
      { 'head.scale': { shape: [2], data: new Float32Array(2) } },
    ],
  ])('says: %s', (message, changes) => {
    expect(validate(changes)).toThrow(DaflError);
    expect(validate(changes)).toThrow(`Cannot use model 'net' as ${message}`);
  });
});
