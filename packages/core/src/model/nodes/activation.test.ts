import { expect, it } from 'vitest';
import { expectNodes } from '../../_testing/node-runner.ts';
import type { ActivationFunction } from './activation.ts';

it.each<[ActivationFunction, (x: number) => number]>([
  ['abs', Math.abs],
  ['exp', Math.exp],
  ['log', Math.log],
  ['sqrt', Math.sqrt],
  ['elu', (x) => (x > 0 ? x : Math.expm1(x))],
  ['softplus', (x) => Math.log1p(Math.exp(x))],
  ['softsign', (x) => x / (1 + Math.abs(x))],
  ['mish', (x) => x * Math.tanh(Math.log1p(Math.exp(x)))],
])('%s is its definition', async (name, definition) => {
  const isPositive = name === 'log' || name === 'sqrt';
  await expectNodes([{ kind: 'activation', name: 'out', inputs: ['input'], function: name }], {
    inputShape: [9],
    low: isPositive ? 0.1 : -4,
    high: 4,
    expected: (input) => input.map(definition),
  });
});

it('softplus and its derivative overflow nowhere', async () => {
  await expectNodes([{ kind: 'activation', name: 'out', inputs: ['input'], function: 'softplus' }], {
    inputShape: [6],
    low: -800,
    high: 800,
    expected: (input) => input.map((x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  });
});

it('refuses parameters of other functions', async () => {
  await expect(
    expectNodes([{ kind: 'activation', name: 'out', inputs: ['input'], function: 'elu', beta: 1 }], {
      inputShape: [2],
    }),
  ).rejects.toThrow("node 'out' (activation) must have 'beta' only for hardSigmoid: current value is 1");
});
