import { it } from 'vitest';
import { expectNodes } from '../../_testing/node-runner.ts';

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
