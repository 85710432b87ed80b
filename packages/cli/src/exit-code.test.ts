import { DaflError, type ErrorCode } from '@dafl/core';
import { expect, test } from 'vitest';
import { describeError } from './exit-code.ts';
import { UsageError } from './usage-error.ts';

test.each<[ErrorCode, number]>([
  ['USAGE', 2],
  ['MODEL', 3],
  ['DATA', 3],
  ['CHECKPOINT', 3],
  ['OUT_OF_MEMORY', 4],
  ['STORAGE', 4],
  ['SHAPE', 1],
  ['NON_FINITE', 1],
])('%s', (code, exitCode) => {
  expect(describeError(new DaflError(code, 'x'))).toEqual({ code, message: 'x', exitCode });
});

test('errors that are not dafl’s own', () => {
  expect(describeError(new UsageError('x'))).toEqual({ code: 'USAGE', message: 'x', exitCode: 2 });
  expect(describeError(new TypeError('x'))).toEqual({ code: 'INTERNAL', message: 'x', exitCode: 1 });
  expect(describeError(AbortSignal.abort().reason)).toMatchObject({ exitCode: 130 });
  expect(describeError(new RangeError('Array buffer allocation failed'))).toMatchObject({
    code: 'OUT_OF_MEMORY',
    exitCode: 4,
    message:
      'Cannot go on as there must be enough memory: Array buffer allocation failed. Lower --batch-size or --replay-batches',
  });
});
