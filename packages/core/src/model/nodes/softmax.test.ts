import { it } from 'vitest';
import { expectNodes } from '../../_testing/node-runner.ts';

it.each([0, 1, 2])('normalises axis %i', async (axis) => {
  await expectNodes(
    [
      { kind: 'softmax', name: 'shares', inputs: ['input'], axis, logarithm: false },
      { kind: 'reduce', name: 'out', inputs: ['shares'], operation: 'sum', axes: [axis], keepDimensions: false },
    ],
    { inputShape: [2, 3, 2], expected: (input, shape) => new Float64Array(input.length / shape[axis + 1]).fill(1) },
  );
  await expectNodes([{ kind: 'softmax', name: 'out', inputs: ['input'], axis, logarithm: true }], {
    inputShape: [2, 3, 2],
  });
});
