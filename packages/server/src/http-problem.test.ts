import { DaflError } from '@dafl/core';
import { expect, it } from 'vitest';
import { HttpProblem } from './http-problem.ts';

it('tells a full disk and no path of this machine', () => {
  const cause = Object.assign(new Error('full'), { code: 'ENOSPC' });
  const message =
    "Cannot write '/srv/secret/job.json' as the disk must have room: current error is ENOSPC. Go on with --resume";
  for (const error of [new DaflError('STORAGE', message, { cause }), cause]) {
    expect(HttpProblem.from(error)).toMatchObject({
      status: 507,
      code: 'STORAGE',
      message: 'Cannot store the request as the disk must take it: current error is ENOSPC',
    });
  }
});

it('tells what is not for clients as an internal error only', () => {
  expect(HttpProblem.from(new TypeError('x of undefined'))).toMatchObject({
    status: 500,
    code: 'INTERNAL',
    message: 'Cannot answer the request as the server met an error of its own',
  });
  expect(HttpProblem.from(new RangeError('Array buffer allocation failed'))).toMatchObject({
    status: 507,
    code: 'OUT_OF_MEMORY',
  });
});
