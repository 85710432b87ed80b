import { createArchitecture } from '@dafl/models';
import { expect, it } from 'vitest';
import { steadyBatchNorms } from './steady-batch-norms.ts';

it('slows fast batch norms down, and leaves all else as it is', () => {
  const momentaOf = (graph: ReturnType<typeof createArchitecture>): number[] =>
    graph.nodes.flatMap((node) => (node.kind === 'batchNorm' ? [node.momentum] : []));
  const slow = createArchitecture('resnet20');
  const fast = {
    ...slow,
    nodes: slow.nodes.map((node) => (node.kind === 'batchNorm' ? { ...node, momentum: 0.4 } : node)),
  };
  expect(new Set(momentaOf(steadyBatchNorms(fast)))).toEqual(new Set([0.1]));
  expect(steadyBatchNorms(slow)).toEqual(slow);
});
