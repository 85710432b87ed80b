import type { Flag } from './flag.ts';
import type { Terminal } from './terminal.ts';

/** Values that were given on the command line, by the flag's key. */
export type FlagValues = Readonly<Record<string, unknown>>;

/** The text of a flag that takes one; undefined if it was not given. */
export function textOf(values: FlagValues, key: string): string | undefined {
  const value = values[key];
  return typeof value === 'string' ? value : undefined;
}

/** What a command works with. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** Whether stdout carries lines of JSON. */
  readonly isJson: boolean;
  readonly isVerbose: boolean;
}

/** One command: everything that help, parsing and running it need. */
export interface Command {
  readonly name: string;
  /** One sentence, shown above the flags. */
  readonly description: string;
  /** Names of what is given without a flag, such as `<model>`; `[run]` need not be given, `[image...]` may be several. */
  readonly operands?: readonly string[];
  readonly flags: readonly Flag[];
  /** Milliseconds that it may take to end when it is interrupted, where it needs more than a second or two. */
  readonly graceMs?: number;
  /** Lines shown beneath the flags. */
  readonly examples: readonly string[];
  /**
   * Does the work.
   *
   * @param values The flags that were given.
   * @param operands What was given without a flag.
   * @returns The exit code.
   */
  run(values: FlagValues, operands: readonly string[], context: CommandContext): Promise<number>;
}

/** Flags that each command has. */
export const commonFlags: readonly Flag[] = [
  { name: 'json', key: 'json', description: 'Write lines of JSON to stdout, the result last', group: 'Output:' },
  { name: 'verbose', key: 'verbose', description: 'Show where an error came from', group: 'Output:' },
];
