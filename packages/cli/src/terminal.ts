import { styleText } from 'node:util';

/** Styles that messages use. */
export type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green' | 'cyan';

/** What a command writes to. Commands never touch the process's streams themselves. */
export interface Terminal {
  /** For data: results, tables, lines of JSON. */
  out(text: string): void;
  /** For progress and errors. */
  err(text: string): void;
  /** Whether progress may be animated: a person looks at stderr. */
  readonly isInteractive: boolean;
  /** Width of stderr in characters. */
  readonly columns: number;
  /** Colours a text for stdout or stderr, where that is wanted. */
  style(style: Style, text: string, stream?: 'out' | 'err'): string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The terminal of this process. `NO_COLOR` and `FORCE_COLOR` are honoured; both non-empty: `FORCE_COLOR` wins, as in Node. */
export function processTerminal(): Terminal {
  const { stdout, stderr, env } = process;
  // A reader that went away, such as `head`, ends the program quietly.
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exit(0);
    });
  }
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    isInteractive: stderr.isTTY && env.TERM !== 'dumb' && env.CI === undefined,
    get columns() {
      return stderr.columns ?? 80;
    },
    style: (style, text, stream = 'out') =>
      styleText(style, text, { stream: stream === 'out' ? stdout : stderr, validateStream: true }),
    environment: env,
  };
}
