import type { FlagValues } from './command.ts';
import { UsageError } from './usage-error.ts';

/** Range of an integer. */
interface IntegerRange {
  readonly least: number;
  readonly most?: number;
}

/**
 * Reads a flag of a command without an option schema as an integer.
 *
 * @returns Undefined if it was not given.
 * @throws {UsageError} If it is none, or out of range.
 */
export function integerFlag(
  command: string,
  values: FlagValues,
  key: string,
  { least, most }: IntegerRange,
): number | undefined {
  const value = values[key];
  if (value === undefined) return undefined;
  if (Number.isInteger(value) && Number(value) >= least && (most === undefined || Number(value) <= most))
    return Number(value);
  const shown = typeof value === 'string' ? `'${value}'` : JSON.stringify(value);
  const range = most === undefined ? '' : ` and <= ${most}`;
  throw new UsageError(
    `Cannot run 'dafl ${command}' as '${key}' must be an integer >= ${least}${range}: current value is ${shown}`,
  );
}
