import { expect, it } from 'vitest';
import { expectNodes } from '../../_testing/node-runner.ts';

it.each([{ minimum: -0.3, maximum: 0.4 }, { minimum: 0.2 }, { maximum: -0.1 }])(
  'limits to %j',
  async ({ minimum, maximum }) => {
    await expectNodes([{ kind: 'clip', name: 'out', inputs: ['input'], minimum, maximum }], {
      inputShape: [7],
      expected: (input) => input.map((x) => Math.min(maximum ?? Infinity, Math.max(minimum ?? -Infinity, x))),
    });
  },
);

it('refuses bounds in the wrong order', async () => {
  await expect(
    expectNodes([{ kind: 'clip', name: 'out', inputs: ['input'], minimum: 1, maximum: 0 }], { inputShape: [7] }),
  ).rejects.toThrow("node 'out' (clip) must have a minimum below its maximum: current value is 1 and 0");
});
