import { expect, test } from 'vitest';
import { compareContestants } from './compare-contestants.ts';
import { describeComparison } from './render-case.ts';

const pairs = (names: readonly string[]): string[] =>
  compareContestants(names.map((name) => ({ name, samples: [1] }))).map(
    ({ contestant, baseline }) => `${contestant} / ${baseline}`,
  );

test('takes the ratios round by round', () => {
  // In the second round the whole machine was half as fast.
  const [comparison] = compareContestants([
    { name: 'pytorch', samples: [30, 60, 33] },
    { name: 'node', samples: [10, 20, 10] },
  ]);
  expect(comparison).toMatchObject({ contestant: 'node', baseline: 'pytorch', samples: [3, 3, 3.3], median: 3 });
  expect(describeComparison(comparison)).toBe(
    'node is 3.00 times as fast as pytorch (quartiles 3.00 to 3.15, 3 rounds)',
  );
});

test('compares with PyTorch in each way, and threads of wasm with one', () => {
  const pytorch = ['pytorch', 'pytorch-channels-last', 'pytorch-kept-memory'];
  expect(pairs(['wasm-1-thread', 'wasm-2-threads', ...pytorch])).toEqual([
    'wasm-1-thread / pytorch',
    'wasm-2-threads / pytorch',
    'pytorch-channels-last / pytorch',
    'pytorch-kept-memory / pytorch',
    'wasm-1-thread / pytorch-channels-last',
    'wasm-2-threads / pytorch-channels-last',
    'wasm-1-thread / pytorch-kept-memory',
    'wasm-2-threads / pytorch-kept-memory',
    'wasm-2-threads / wasm-1-thread',
  ]);
});

test('without PyTorch compares all with one thread of wasm, without it with the first', () => {
  expect(pairs(['node', 'wasm-1-thread', 'wasm-2-threads'])).toEqual([
    'node / wasm-1-thread',
    'wasm-2-threads / wasm-1-thread',
  ]);
  expect(pairs(['webgpu', 'cpu'])).toEqual(['cpu / webgpu']);
  expect(pairs(['cpu'])).toEqual([]);
});
