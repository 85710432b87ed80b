import { expect, it } from 'vitest';
import { expectNodes } from '../../_testing/node-runner.ts';

const padding = { top: 1, bottom: 2, left: 0, right: 1 };

it.each([{}, { value: -0.5 }, { mode: 'constant', value: 2 }, { mode: 'reflect' }, { mode: 'edge' }] as const)(
  'pads by %j',
  async (options) => {
    await expectNodes([{ kind: 'pad2d', name: 'out', inputs: ['input'], padding, ...options }], {
      inputShape: [3, 2, 2],
    });
  },
);

it('refuses to mirror more than there is', async () => {
  await expect(
    expectNodes([{ kind: 'pad2d', name: 'out', inputs: ['input'], padding, mode: 'reflect' }], {
      inputShape: [2, 2, 2],
    }),
  ).rejects.toThrow("node 'out' (pad2d) must mirror less than it reads");
});
