import { expect, it } from 'vitest';
import { expectNodes } from '../../_testing/node-runner.ts';

it('takes a part of each axis, with strides', async () => {
  await expectNodes([{ kind: 'slice', name: 'out', inputs: ['input'], begin: [1, 0], size: [2, 2], strides: [1, 2] }], {
    inputShape: [3, 4],
    expected: (input) => [4, 6, 8, 10, 16, 18, 20, 22].map((index) => input[index]),
  });
});

it('refuses to end outside', async () => {
  await expect(
    expectNodes([{ kind: 'slice', name: 'out', inputs: ['input'], begin: [1, 0], size: [3, 2] }], {
      inputShape: [3, 4],
    }),
  ).rejects.toThrow("node 'out' (slice) must end within axis 0 of [3, 4]: current value is entry 3");
});
