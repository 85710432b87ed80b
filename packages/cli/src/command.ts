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

/** What is given without a flag. */
export interface Operand {
  /** `<model>`; `[run]` need not be given, `[image...]` may be several. */
  readonly name: string;
  readonly description: string;
  /** The option that it sets, as a flag of the command does too: it is given by one of them. */
  readonly key?: string;
}

/** One command: everything that help, parsing and running it need. */
export interface Command {
  readonly name: string;
  /** One sentence, shown above the flags. */
  readonly description: string;
  /** In order; only the last may be several. */
  readonly operands?: readonly Operand[];
  readonly flags: readonly Flag[];
  /** Milliseconds that it may take to end when it is interrupted, where it needs more than a second or two. */
  readonly graceMs?: number;
  /** Lines shown beneath the flags. */
  readonly examples: readonly string[];
  /**
   * Does the work.
   *
   * @param values The flags that were given, but for those that each command has, and the operands that set an option.
   * @param operands What else was given without a flag.
   * @returns The exit code.
   */
  run(values: FlagValues, operands: readonly string[], context: CommandContext): Promise<number>;
}

const everywhere = 'Everywhere:';

/** Flags that each command has, and that may stand before it. */
export const commonFlags: readonly Flag[] = [
  { name: 'json', key: 'json', description: 'Write lines of JSON to stdout, the result last', group: everywhere },
  { name: 'verbose', key: 'verbose', description: 'Show where an error came from', group: everywhere },
  { name: 'help-all', key: 'helpAll', description: 'Show the flags that few need, too', group: everywhere },
];
