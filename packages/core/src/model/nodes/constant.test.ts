import { it } from 'vitest';
import { expectNodes } from '../../_testing/node-runner.ts';

it('is the same for each example, and trained', async () => {
  await expectNodes(
    [
      { kind: 'constant', name: 'each', inputs: [], shape: [3, 2], trainable: true },
      { kind: 'multiply', name: 'scaled', inputs: ['input', 'each'] },
      { kind: 'concat', name: 'out', inputs: ['each', 'scaled'], axis: 0 },
    ],
    { inputShape: [3, 2] },
  );
});
