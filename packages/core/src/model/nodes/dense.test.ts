import { it } from 'vitest';
import { expectNodes } from '../../_testing/node-runner.ts';

it('reads the last axis of any rank', async () => {
  await expectNodes([{ kind: 'dense', name: 'out', inputs: ['input'], units: 3, useBias: true }], {
    inputShape: [2, 3, 4],
  });
});
