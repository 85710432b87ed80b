import { it } from 'vitest';
import { expectNodes } from '../../_testing/node-runner.ts';

const firsts = { rowsFirst: [0, 2, 4, 6, 1, 3, 5, 7], channelsFirst: [0, 1, 2, 3, 4, 5, 6, 7] };

it.each(['rowsFirst', 'channelsFirst'] as const)('moves channels into pixels: %s', async (order) => {
  await expectNodes([{ kind: 'depthToSpace', name: 'out', inputs: ['input'], blockSize: 2, order }], {
    inputShape: [1, 1, 8],
    expected: (input) =>
      [0, 8].flatMap((start) => {
        // Four pixels of two channels each.
        const [first, second] = [firsts[order].slice(0, 4), firsts[order].slice(4)];
        return first.flatMap((index, pixel) => [input[start + index], input[start + second[pixel]]]);
      }),
  });
});
