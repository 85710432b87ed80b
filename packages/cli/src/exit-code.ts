import type { ErrorCode } from '@dafl/core';

/** What the command's exit code tells a script. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  badInput: 3,
  resources: 4,
  interrupted: 130,
} as const;

const byErrorCode: Readonly<Record<ErrorCode, number>> = {
  USAGE: exitCodes.usage,
  MODEL: exitCodes.badInput,
  DATA: exitCodes.badInput,
  CHECKPOINT: exitCodes.badInput,
  OUT_OF_MEMORY: exitCodes.resources,
  STORAGE: exitCodes.resources,
  SHAPE: exitCodes.failed,
  NON_FINITE: exitCodes.failed,
};

/** An error as users and scripts are told it. */
export interface DescribedError {
  readonly code: ErrorCode | 'INTERRUPTED' | 'INTERNAL';
  readonly message: string;
  readonly exitCode: number;
}

/** What an error means: its code, one line of text, and the exit code. */
export function describeError(error: unknown): DescribedError {
  const message = error instanceof Error ? error.message : String(error);
  const name = error instanceof Error ? error.name : '';
  if (name === 'AbortError') return { code: 'INTERRUPTED', message: 'Interrupted', exitCode: exitCodes.interrupted };
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  // By its fields, so that core need not be loaded to tell that a flag is unknown.
  if ((name === 'DaflError' || name === 'UsageError') && code in byErrorCode) {
    return { code: code as ErrorCode, message, exitCode: byErrorCode[code as ErrorCode] };
  }
  if (isOutOfMemory(error)) {
    const text = `Cannot go on as there must be enough memory: ${message}. Lower --batch-size or --replay-batches`;
    return { code: 'OUT_OF_MEMORY', message: text, exitCode: exitCodes.resources };
  }
  return { code: 'INTERNAL', message, exitCode: exitCodes.failed };
}

function isOutOfMemory(error: unknown): boolean {
  return (
    error instanceof RangeError &&
    /allocation failed|out of memory|could not allocate|Invalid (typed )?array length/i.test(error.message)
  );
}
