import { it } from 'vitest';
import { expectNodes } from '../../_testing/node-runner.ts';

it.each([true, false])('normalises (scale and offset: %s)', async (affine) => {
  await expectNodes([{ kind: 'groupNorm', name: 'out', inputs: ['input'], groups: 2, epsilon: 0.01, affine }], {
    inputShape: [2, 3, 4],
  });
});
