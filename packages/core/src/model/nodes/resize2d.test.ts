import { it } from 'vitest';
import { expectNodes } from '../../_testing/node-runner.ts';

it.each(['halfPixel', 'asymmetric', 'alignCorners'] as const)('resizes by %s', async (coordinates) => {
  for (const size of [
    [5, 2],
    [1, 6],
  ] as const) {
    for (const mode of ['bilinear', 'nearest'] as const) {
      await expectNodes([{ kind: 'resize2d', name: 'out', inputs: ['input'], size, mode, coordinates }], {
        inputShape: [3, 4, 2],
      });
    }
  }
});

it('repeats pixels', async () => {
  const node = { kind: 'resize2d', name: 'out', inputs: ['input'], size: [1, 4], mode: 'nearest' } as const;
  await expectNodes([{ ...node, coordinates: 'asymmetric', rounding: 'floor' }], {
    inputShape: [1, 2, 1],
    expected: (input) => [0, 0, 1, 1, 2, 2, 3, 3].map((index) => input[index]),
  });
});
