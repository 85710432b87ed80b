import { expect, it } from 'vitest';
import { expectNodes } from '../../_testing/node-runner.ts';

it('multiplies the matrices of each example', async () => {
  await expectNodes(
    [
      { kind: 'transpose', name: 'turned', inputs: ['input'], permutation: [0, 2, 1] },
      { kind: 'matMul', name: 'out', inputs: ['input', 'turned'] },
    ],
    {
      inputShape: [2, 3, 2],
      expected: (input) =>
        Array.from({ length: 36 }, (_, index) => {
          const [block, row, column] = [Math.floor(index / 9), Math.floor(index / 3) % 3, index % 3];
          const at = (line: number, inner: number) => input[block * 6 + line * 2 + inner];
          return at(row, 0) * at(column, 0) + at(row, 1) * at(column, 1);
        }),
    },
  );
});

it('refuses matrices that do not fit', async () => {
  await expect(
    expectNodes([{ kind: 'matMul', name: 'out', inputs: ['input', 'input'] }], { inputShape: [3, 2] }),
  ).rejects.toThrow(
    "node 'out' (matMul) must read [..., rows, inner] and [..., inner, columns]: current value is [3, 2] and [3, 2]",
  );
});
