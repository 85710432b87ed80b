import type { z } from 'zod';
import type { Flag } from './flag.ts';
import type { Terminal } from './terminal.ts';

/** Values that were given on the command line, by the argument's key. */
export type GivenValues = Readonly<Record<string, unknown>>;

/** What a command works with. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** Whether stdout carries lines of JSON. */
  readonly isJson: boolean;
  readonly isVerbose: boolean;
  /** Whether only results and errors are wanted. */
  readonly isQuiet: boolean;
  /** Whether pictures may be shown where the terminal can show them. */
  readonly showsImages: boolean;
}

/** What is given without a flag. */
export interface Operand {
  /** `<model>`; `[run]` need not be given, `[image...]` may be several. */
  readonly name: string;
  readonly description: string;
  /** The argument that it sets. */
  readonly key: string;
  readonly isRequired: boolean;
  readonly isSeveral: boolean;
}

/** One command: everything that help, parsing and running it need. Made by `defineCommand`. */
export interface Command {
  readonly name: string;
  /** One sentence, shown above the flags. */
  readonly description: string;
  /** Of all arguments. */
  readonly schema: z.ZodObject;
  /** In order; only the last may be several. */
  readonly operands: readonly Operand[];
  readonly flags: readonly Flag[];
  /** Milliseconds that it may take to end when it is interrupted, where it needs more than a second or two. */
  readonly graceMs?: number;
  /** Lines shown beneath the flags. */
  readonly examples: readonly string[];
  /**
   * Checks the arguments and does the work.
   *
   * @param given What was typed: no defaults, and none of the flags that each command has.
   * @returns The exit code.
   */
  run(given: GivenValues, context: CommandContext): Promise<number>;
}
