/** The command line is wrong. Has the fields of a `DaflError`, and needs no core. */
export class UsageError extends Error {
  override readonly name: string = 'UsageError';
  readonly code = 'USAGE' as const;
}
