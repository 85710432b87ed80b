import { it } from 'vitest';
import { expectNodes } from '../../_testing/node-runner.ts';

it('is its definition, with broadcasting', async () => {
  await expectNodes(
    [
      { kind: 'activation', name: 'other', inputs: ['input'], function: 'tanh' },
      { kind: 'subtract', name: 'out', inputs: ['input', 'other'] },
    ],
    { inputShape: [3, 2], expected: (input) => input.map((x) => x - Math.tanh(x)) },
  );
  await expectNodes(
    [
      { kind: 'constant', name: 'each', inputs: [], shape: [2], trainable: true },
      { kind: 'subtract', name: 'out', inputs: ['input', 'each'] },
    ],
    { inputShape: [3, 2] },
  );
});
