import { STATUS_CODES } from 'node:http';
import { DaflError, type ErrorCode } from '@dafl/core';
import type { Problem, ProblemCode } from './api.ts';
import { systemErrorCode } from './system-error-code.ts';

/** Status of each error of dafl's that a request can cause. */
const statuses: Readonly<Record<ErrorCode, number>> = {
  USAGE: 422,
  MODEL: 422,
  DATA: 422,
  SHAPE: 422,
  CHECKPOINT: 409,
  NON_FINITE: 500,
  OUT_OF_MEMORY: 507,
  STORAGE: 507,
};

const storageErrors: readonly string[] = ['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO', 'EROFS'];

/** What a request is refused with. Its message follows the error grammar and is shown to the client. */
export class HttpProblem extends Error {
  override readonly name: string = 'HttpProblem';
  readonly status: number;
  readonly code: ProblemCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: ProblemCode, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }

  /** Derives the problem from anything thrown. What is not meant for clients is told only as an internal error. */
  static from(error: unknown): HttpProblem {
    if (error instanceof HttpProblem) return error;
    if (error instanceof DaflError) return new HttpProblem(statuses[error.code], error.code, error.message);
    const system = systemErrorCode(error);
    if (system !== undefined && storageErrors.includes(system)) {
      return new HttpProblem(
        507,
        'STORAGE',
        `Cannot store the request as the disk must take it: current error is ${system}`,
      );
    }
    return new HttpProblem(500, 'INTERNAL', 'Cannot answer the request as the server met an error of its own');
  }

  /** Renders it as RFC 9457's `application/problem+json`. */
  toResponse(): Response {
    const { status, code, message: detail } = this;
    const body: Problem = { type: 'about:blank', title: STATUS_CODES[status] ?? '', status, detail, code };
    return new Response(JSON.stringify(body), {
      status,
      headers: { ...this.headers, 'content-type': 'application/problem+json' },
    });
  }
}
