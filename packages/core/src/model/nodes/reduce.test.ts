import { expect, it } from 'vitest';
import { expectNodes } from '../../_testing/node-runner.ts';

it.each(['mean', 'sum', 'max', 'min'] as const)('%s over any axes', async (operation) => {
  for (const axes of [[0], [1], [0, 2], [0, 1, 2]]) {
    for (const keepDimensions of [true, false]) {
      await expectNodes([{ kind: 'reduce', name: 'out', inputs: ['input'], operation, axes, keepDimensions }], {
        inputShape: [2, 3, 2],
      });
    }
  }
});

it('refuses axes that are none', async () => {
  const node = { kind: 'reduce', name: 'out', inputs: ['input'], operation: 'sum', keepDimensions: true } as const;
  await expect(expectNodes([{ ...node, axes: [1, 0] }], { inputShape: [2, 3] })).rejects.toThrow(
    "node 'out' (reduce) must have ascending axes of [2, 3]: current value is [1, 0]",
  );
});
