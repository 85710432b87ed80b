import { it } from 'vitest';
import { expectNodes } from '../../_testing/node-runner.ts';

it('is its definition, with broadcasting', async () => {
  await expectNodes(
    [
      { kind: 'power', name: 'other', inputs: ['input'], exponent: 2 },
      { kind: 'minimum', name: 'out', inputs: ['input', 'other'] },
    ],
    { inputShape: [3, 2], expected: (input) => input.map((x) => Math.min(x, x * x)) },
  );
  await expectNodes(
    [
      { kind: 'constant', name: 'each', inputs: [], shape: [2], trainable: true },
      { kind: 'minimum', name: 'out', inputs: ['input', 'each'] },
    ],
    { inputShape: [3, 2] },
  );
});
