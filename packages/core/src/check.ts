import { DaflError, type ErrorCode } from './errors.ts';

/** What an error says: `Cannot ${cannot} as ${as}: current value is ${value}`. */
export interface Failure {
  /** Who can mend it; default: `'USAGE'`. */
  readonly code?: ErrorCode;
  /** What could not be done: `distill`. */
  readonly cannot: string;
  /** The rule, with the name of what breaks it: `'steps' must be an integer >= 1`. */
  readonly as: string;
  /** What stands there, as text. */
  readonly value: unknown;
  /** The error that this one follows from. */
  readonly cause?: unknown;
}

/**
 * Throws an error in the grammar that all have. Command lines put the flag in the place of an option's name.
 *
 * @throws {DaflError} Always.
 */
export function fail({ code = 'USAGE', cannot, as, value, cause }: Failure): never {
  const options = cause === undefined ? undefined : { cause };
  throw new DaflError(code, `Cannot ${cannot} as ${as}: current value is ${String(value)}`, options);
}

/** Throws what `fail` throws unless a condition holds. */
export function check(holds: boolean, failure: Failure): asserts holds {
  if (!holds) fail(failure);
}
