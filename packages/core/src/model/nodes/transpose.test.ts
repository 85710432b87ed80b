import { expect, it } from 'vitest';
import { expectNodes } from '../../_testing/node-runner.ts';

it('reorders axes', async () => {
  await expectNodes([{ kind: 'transpose', name: 'out', inputs: ['input'], permutation: [1, 0] }], {
    inputShape: [2, 3],
    expected: (input) => [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11].map((index) => input[index]),
  });
});

it.each([[[0, 0]], [[0]], [[0, 2]]])('refuses the order %j of two axes', async (permutation) => {
  await expect(
    expectNodes([{ kind: 'transpose', name: 'out', inputs: ['input'], permutation }], { inputShape: [2, 3] }),
  ).rejects.toThrow("node 'out' (transpose) must order the 2 axes of [2, 3]");
});
