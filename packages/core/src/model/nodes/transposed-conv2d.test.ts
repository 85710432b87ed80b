import { expect, it } from 'vitest';
import { expectNodes } from '../../_testing/node-runner.ts';
import { createRandomStream } from '../../random.ts';
import { inferShapes } from '../infer-shapes.ts';
import { inheritWeights } from '../inherit-weights.ts';
import { initializeWeights } from '../initialize-weights.ts';
import type { Graph } from '../model.ts';
import { shrink } from '../shrink.ts';

it.each([1, 2, 4])('is the derivative of a convolution, in %i groups', async (groups) => {
  await expectNodes(
    [
      {
        kind: 'transposedConv2d',
        name: 'out',
        inputs: ['input'],
        filters: 4,
        kernelSize: [3, 2],
        strides: [2, 1],
        padding: { top: 1, bottom: 0, left: 0, right: 1 },
        dilations: [1, 2],
        groups,
        outputPadding: [1, 0],
        useBias: true,
      },
    ],
    { inputShape: [2, 3, 4] },
  );
});

it.each([1, 2])('keeps a channel of each group with what it reads, where each reads one: %i of each', (multiplier) => {
  const graph: Graph = {
    name: 'depthwise',
    inputShape: [3, 3, 2],
    nodes: [
      {
        kind: 'conv2d',
        name: 'first',
        inputs: ['input'],
        filters: 4,
        kernelSize: [1, 1],
        strides: [1, 1],
        padding: { top: 0, bottom: 0, left: 0, right: 0 },
        dilations: [1, 1],
        groups: 1,
        useBias: false,
      },
      {
        kind: 'transposedConv2d',
        name: 'each',
        inputs: ['first'],
        filters: 4 * multiplier,
        kernelSize: [2, 2],
        strides: [2, 2],
        padding: { top: 0, bottom: 0, left: 0, right: 0 },
        dilations: [1, 1],
        groups: 4,
        outputPadding: [0, 0],
        useBias: true,
      },
      { kind: 'globalAveragePool2d', name: 'mean', inputs: ['each'] },
      { kind: 'dense', name: 'logits', inputs: ['mean'], units: 3, useBias: true },
    ],
    outputs: { logits: 'logits', features: 'mean' },
  };
  const half = shrink(graph, 0.5);
  expect(half.nodes[1]).toMatchObject({ groups: 2, filters: 2 * multiplier });
  expect(inferShapes(half).get('each')!.weights.kernel.shape).toEqual([2, 2, multiplier, 2]);
  const teacher = initializeWeights(graph, createRandomStream(2, 'weights'));
  const kernel = teacher.weights.get('first.kernel')!.data;
  // Of the four, the second and the last alone say anything.
  for (let index = 0; index < kernel.length; index++) if (index % 2 === 0) kernel[index] = 0;
  const heir = inheritWeights(teacher, half);
  const given = teacher.weights.get('each.kernel')!.data;
  expect([...heir.weights.get('each.kernel')!.data]).toEqual([...given].filter((_, index) => index % 2 === 1));
});
