import { expect, test } from 'vitest';
import { fakeTerminal } from '../_fake-terminal.ts';
import { fakeCaseResult } from './_fake-case-result.ts';
import { renderCase } from './render-case.ts';

const result = {
  ...fakeCaseResult({}, { 'wasm-2-threads': [40, 50, 44], pytorch: [88, 100, 88] }),
  unavailable: [{ name: 'node', reason: 'no library' }],
};

test('a table, the ratios in words and who is missing', () => {
  expect(`\n${renderCase(result, fakeTerminal())}`).toMatchInlineSnapshot(`
    "
    Step of the fast preset: batch 256, images 32x32, generator 16-16-8, 2.00 GFLOP

                      ms/step    quartiles    min - max  GFLOP/s  matmul  share  memory
      wasm-2-threads     44.0  42.0 - 47.0  40.0 - 50.0     45.5     100   45 %  250 MB
      pytorch            88.0  88.0 - 94.0   88.0 - 100     22.7     100   23 %  250 MB

      wasm-2-threads is 2.00 times as fast as pytorch (quartiles 2.00 to 2.10, 3 rounds)
      All compute the same: from the same weights and numbers, losses of the first step differ by at most 2e-6, of the second by 3e-4 (relative)

      wasm-2-threads: wasm-2-threads in a test
      pytorch: pytorch in a test
      node is missing: no library
    "
  `);
});

test('says it where they do not compute the same', () => {
  expect(renderCase({ ...result, lossDifferences: [1e-5, 0.3] }, fakeTerminal())).toContain(
    'They do not all compute the same: from the same weights and numbers, losses of the first step differ by at most 1e-5, of the second by 3e-1 (relative)',
  );
});

test('says it where the machine had other things to do', () => {
  expect(renderCase({ ...result, busyShares: [0.02, 0.31, 0.12] }, fakeTerminal())).toContain(
    'Do not trust this: the machine was busy with other things in 2 of 3 rounds (up to 31 %)',
  );
});
