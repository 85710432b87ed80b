import { it } from 'vitest';
import { expectNodes } from '../../_testing/node-runner.ts';

it.each([1, 2, 3, 7, 0.5, -1, -2, -0.5, 1.7])('raises to %d', async (exponent) => {
  await expectNodes([{ kind: 'power', name: 'out', inputs: ['input'], exponent }], {
    inputShape: [5],
    low: 0.4,
    high: 1.5,
    expected: (input) => input.map((x) => x ** exponent),
  });
});

it('raises what is below 0 to whole numbers', async () => {
  await expectNodes([{ kind: 'power', name: 'out', inputs: ['input'], exponent: 3 }], {
    inputShape: [5],
    expected: (input) => input.map((x) => x ** 3),
  });
});
