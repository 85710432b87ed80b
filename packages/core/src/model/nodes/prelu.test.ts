import { it } from 'vitest';
import { expectNodes } from '../../_testing/node-runner.ts';

it('has a slope of each channel that is trained', async () => {
  await expectNodes([{ kind: 'prelu', name: 'out', inputs: ['input'] }], { inputShape: [2, 3, 4] });
});
