import { STATUS_CODES } from 'node:http';
import { systemErrorCode } from '@dafl/run';
import { describeError } from '@dafl/run/describe-error';
import type { Problem, ProblemCode } from './api.ts';

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
    const { code, message, status } = describeError(error);
    const system = systemErrorCode(error instanceof Error && code === 'STORAGE' ? error.cause : error);
    // A path is the operator's to know.
    if (code === 'STORAGE' || (system !== undefined && storageErrors.includes(system))) {
      const detail = `Cannot store the request as the disk must take it: current error is ${system ?? 'unknown'}`;
      return new HttpProblem(507, 'STORAGE', detail);
    }
    if (code === 'INTERRUPTED')
      return new HttpProblem(
        status,
        'UNAVAILABLE',
        'Cannot answer the request as the server must be up: it is going down',
      );
    const detail = code === 'INTERNAL' ? 'Cannot answer the request as the server met an error of its own' : message;
    return new HttpProblem(status, code, detail);
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
