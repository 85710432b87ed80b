import type { ErrorCode } from '@dafl/core';
import type { DistillationOptions } from '@dafl/run';

/**
 * Body of `POST /v1/distillations`: the options of the command line as JSON. Files are named by the id of their upload:
 * `teacher` is a built-in name or such an id, `student` `'half'`, `'quarter'`, `'low-rank'`, `'low-rank-SHARE'`, an architecture, a share in
 * (0, 1] or such an id, `eval` `'mnist'`.
 */
export type DistillationRequest = Pick<DistillationOptions, 'teacher'> & Partial<DistillationOptions>;

/** `queued` and `running` go on; the others are final. */
export type DistillationState = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled';

/** Why a job failed: an error of the run itself, or the end of its process. */
export type FailureCode = ErrorCode | 'CRASHED' | 'INTERRUPTED' | 'INTERNAL';

/** Why a job has failed. */
export interface DistillationError {
  readonly code: FailureCode;
  readonly message: string;
}

/** One job. Times are ISO 8601 in UTC. */
export interface Distillation {
  readonly id: string;
  readonly state: DistillationState;
  /** With the defaults filled in. */
  readonly options: DistillationOptions;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** Jobs that start before this one; null unless it is queued. */
  readonly jobsAhead: number | null;
  /** As of the last step; null before the first. */
  readonly progress: { readonly step: number; readonly steps: number; readonly secondsLeft: number } | null;
  /** The fields of the last event, `result`; null unless the job has succeeded. */
  readonly result: Readonly<Record<string, unknown>> | null;
  /** Null unless the job has failed. */
  readonly error: DistillationError | null;
  readonly links: {
    readonly self: string;
    readonly cancel: string;
    readonly events: string;
    readonly student: string;
    readonly report: string;
  };
}

/** Answer of `GET /v1/distillations?limit=&cursor=`: newest first. */
export interface DistillationPage {
  readonly items: readonly Distillation[];
  /** Value of `cursor` for the next page; null on the last one. */
  readonly nextCursor: string | null;
}

/** A model file that a client sent: answer of `POST /v1/uploads` and `GET /v1/uploads/{id}`. */
export interface Upload {
  readonly id: string;
  /** Name of the model in the file. */
  readonly name: string;
  readonly parameters: number;
  readonly sizeBytes: number;
  readonly createdAt: string;
}

/** What makes a request fail. */
export type ProblemCode =
  | ErrorCode
  | 'BAD_REQUEST'
  | 'UNAUTHORIZED'
  | 'FOREIGN_HOST'
  | 'FOREIGN_ORIGIN'
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'TOO_SLOW'
  | 'CONFLICT'
  | 'TOO_LARGE'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'TOO_MANY'
  | 'UNAVAILABLE'
  | 'INTERNAL';

/** Body of every answer that is an error (RFC 9457, `application/problem+json`). */
export interface Problem {
  readonly type: 'about:blank';
  /** The status in words. */
  readonly title: string;
  readonly status: number;
  /** What could not be done, the rule and the value. */
  readonly detail: string;
  readonly code: ProblemCode;
}
