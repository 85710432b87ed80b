import { it } from 'vitest';
import { expectNodes } from '../../_testing/node-runner.ts';

it.each([0, 1, undefined])('joins along axis %s', async (axis) => {
  await expectNodes(
    [
      { kind: 'activation', name: 'bent', inputs: ['input'], function: 'tanh' },
      { kind: 'concat', name: 'out', inputs: ['input', 'bent', 'input'], axis },
    ],
    { inputShape: [2, 3] },
  );
});
