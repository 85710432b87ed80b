import { expect, it } from 'vitest';
import { expectNodes } from '../../_testing/node-runner.ts';

it('is undone by depthToSpace', async () => {
  await expectNodes(
    [
      { kind: 'spaceToDepth', name: 'deep', inputs: ['input'], blockSize: 2 },
      { kind: 'depthToSpace', name: 'out', inputs: ['deep'], blockSize: 2, order: 'rowsFirst' },
    ],
    { inputShape: [4, 2, 3], expected: (input) => input },
  );
});

it('counts channels by row, column, channel', async () => {
  await expectNodes([{ kind: 'spaceToDepth', name: 'out', inputs: ['input'], blockSize: 2 }], {
    inputShape: [2, 4, 1],
    expected: (input) => [0, 8].flatMap((start) => [0, 1, 4, 5, 2, 3, 6, 7].map((index) => input[start + index])),
  });
});

it('refuses what its blocks do not divide', async () => {
  await expect(
    expectNodes([{ kind: 'spaceToDepth', name: 'out', inputs: ['input'], blockSize: 2 }], { inputShape: [3, 4, 1] }),
  ).rejects.toThrow("node 'out' (spaceToDepth) must read multiples of 2 rows and columns: current value is [3, 4, 1]");
});
