import { it } from 'vitest';
import { expectNodes } from '../../_testing/node-runner.ts';

it.each([1, 2, 3, 5])('normalises by %i neighbours', async (size) => {
  await expectNodes(
    [{ kind: 'localResponseNorm', name: 'out', inputs: ['input'], size, alpha: 0.5, beta: 0.75, bias: 2 }],
    { inputShape: [1, 2, 4] },
  );
});
