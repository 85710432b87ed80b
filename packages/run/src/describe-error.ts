/**
 * What an error means to whoever is told it. Loads nothing, so that a command that fails at once need not load core.
 *
 * @module
 */
import type { ErrorCode } from '@dafl/core';

/** An error as users, scripts and clients are told it. */
export interface DescribedError {
  readonly code: ErrorCode | 'INTERRUPTED' | 'INTERNAL';
  readonly message: string;
  /** Of a command that it ends. */
  readonly exitCode: number;
  /** Of an HTTP request that it ends. */
  readonly status: number;
}

/** The one place that says what each code leads to. */
const outcomes: Readonly<Record<DescribedError['code'], Pick<DescribedError, 'exitCode' | 'status'>>> = {
  USAGE: { exitCode: 2, status: 422 },
  MODEL: { exitCode: 3, status: 422 },
  DATA: { exitCode: 3, status: 422 },
  CHECKPOINT: { exitCode: 3, status: 409 },
  OUT_OF_MEMORY: { exitCode: 4, status: 507 },
  STORAGE: { exitCode: 4, status: 507 },
  SHAPE: { exitCode: 1, status: 422 },
  NON_FINITE: { exitCode: 1, status: 500 },
  INTERRUPTED: { exitCode: 130, status: 503 },
  INTERNAL: { exitCode: 1, status: 500 },
};

/** What anything thrown means: its code, one line of text, and what it leads to. */
export function describeError(error: unknown): DescribedError {
  const [code, message] = codeAndMessage(error);
  return { code, message, ...outcomes[code] };
}

function codeAndMessage(error: unknown): [DescribedError['code'], string] {
  const message = error instanceof Error ? error.message : String(error);
  const name = error instanceof Error ? error.name : '';
  if (name === 'AbortError') return ['INTERRUPTED', 'Interrupted'];
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  // By its fields: also an error of another copy of core, or of a command line that is wrong.
  if ((name === 'DaflError' || name === 'UsageError') && Object.hasOwn(outcomes, code)) {
    return [code as ErrorCode, message];
  }
  if (isOutOfMemory(error)) {
    const advice = 'Lower --batch-size or --replay-batches';
    return ['OUT_OF_MEMORY', `Cannot go on as there must be enough memory: ${message}. ${advice}`];
  }
  return ['INTERNAL', message];
}

/** As engines and backends say it. */
function isOutOfMemory(error: unknown): boolean {
  return (
    error instanceof Error &&
    (('code' in error && error.code === 'OUT_OF_MEMORY') ||
      (error instanceof RangeError &&
        /allocation failed|out of memory|could not allocate|Invalid (typed )?array length/i.test(error.message)))
  );
}
