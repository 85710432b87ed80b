import { DaflError, type ErrorCode } from '@dafl/core';
import { expect, test } from 'vitest';
import { describeError } from './describe-error.ts';

test.each<[ErrorCode, number, number]>([
  ['USAGE', 2, 422],
  ['MODEL', 3, 422],
  ['DATA', 3, 422],
  ['CHECKPOINT', 3, 409],
  ['OUT_OF_MEMORY', 4, 507],
  ['STORAGE', 4, 507],
  ['SHAPE', 1, 422],
  ['NON_FINITE', 1, 500],
])('%s', (code, exitCode, status) => {
  expect(describeError(new DaflError(code, 'x'))).toEqual({ code, message: 'x', exitCode, status });
});

test('errors that are not dafl’s own', () => {
  const usage = Object.assign(new Error('x'), { name: 'UsageError', code: 'USAGE' });
  expect(describeError(usage)).toMatchObject({ code: 'USAGE', message: 'x', exitCode: 2 });
  expect(describeError(new TypeError('x'))).toEqual({ code: 'INTERNAL', message: 'x', exitCode: 1, status: 500 });
  expect(describeError(AbortSignal.abort().reason)).toMatchObject({ exitCode: 130 });
  expect(describeError(new RangeError('Array buffer allocation failed'))).toMatchObject({
    code: 'OUT_OF_MEMORY',
    exitCode: 4,
    message:
      'Cannot go on as there must be enough memory: Array buffer allocation failed. Lower --batch-size or --replay-batches',
  });
  // A backend's own.
  const ofBackend = Object.assign(new Error('the heap is full'), { code: 'OUT_OF_MEMORY' });
  expect(describeError(ofBackend)).toMatchObject({ code: 'OUT_OF_MEMORY', exitCode: 4 });
});
