import { setImmediate as nextTurn } from 'node:timers/promises';
import { styleText } from 'node:util';
import type { PictureForm } from './render-pictures.ts';

/** Styles that messages use. */
export type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green' | 'cyan';

/** What a command writes to. Commands never touch the process's streams themselves. */
export interface Terminal {
  /** For data: results, tables, lines of JSON. */
  out(text: string): void;
  /** For progress and what is worth knowing beside the result. */
  err(text: string): void;
  /** For what nobody may miss, however quiet the command: errors, and what to do where there is no result. */
  alert(text: string): void;
  /** Whether progress may be animated: a person looks at stderr. */
  readonly isInteractive: boolean;
  /** Whether a person can be asked: stdin and stdout are terminals too. */
  readonly hasKeyboard: boolean;
  /** How pictures are shown on stderr; undefined where they are not. */
  pictureForm(): Promise<PictureForm | undefined>;
  /** Width of stderr in characters. */
  readonly columns: number;
  /** Colours a text for stdout or stderr, where that is wanted. */
  style(style: Style, text: string, stream?: 'out' | 'err'): string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Calls `listener` when nothing that is written arrives any more: `head` has gone, the terminal is closed, or the disk is full. */
  onUnread(listener: () => void): void;
  /** Why it does not arrive, where it is not that nobody reads it. */
  readonly refusal: Error | undefined;
  /** Waits until all that was written is taken, or nobody takes it any more. */
  settle(): Promise<void>;
}

/** What writing to a pipe or a terminal gives that is no more. */
const UNREAD: readonly (string | undefined)[] = ['EPIPE', 'EIO', 'ECONNRESET'];

/** The terminal of this process. `NO_COLOR` and `FORCE_COLOR` are honoured; both non-empty: `FORCE_COLOR` wins, as in Node. */
export function processTerminal(): Terminal {
  const { stdout, stderr, env } = process;
  const listeners: (() => void)[] = [];
  const unread = new Set<NodeJS.WriteStream>();
  let refusal: Error | undefined;
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (!UNREAD.includes(error.code)) refusal ??= error;
      unread.add(stream);
      for (const listener of listeners) listener();
    });
  }
  const write = (stream: NodeJS.WriteStream, text: string): void => {
    if (!unread.has(stream)) stream.write(text);
  };
  return {
    out: (text) => write(stdout, text),
    err: (text) => write(stderr, text),
    alert: (text) => write(stderr, text),
    get refusal() {
      return refusal;
    },
    onUnread: (listener) => void listeners.push(listener),
    async settle() {
      for (const stream of [stdout, stderr]) {
        if (!unread.has(stream)) await new Promise<void>((resolve) => void stream.write('', () => resolve()));
      }
      // A failed write is told after its callback.
      await nextTurn();
    },
    isInteractive: stderr.isTTY && env.TERM !== 'dumb' && env.CI === undefined,
    hasKeyboard: process.stdin.isTTY && stdout.isTTY,
    async pictureForm() {
      const isColoured = styleText('red', 'x', { stream: stderr, validateStream: true }) !== 'x';
      if (!stderr.isTTY || !isColoured || env.TERM === 'dumb' || env.CI !== undefined) return undefined;
      const { createSupportsTerminalGraphics } = await import('supports-terminal-graphics');
      const { kitty, iterm2 } = createSupportsTerminalGraphics(stderr);
      return kitty ? 'kitty' : iterm2 ? 'iterm2' : 'blocks';
    },
    get columns() {
      // A terminal that was never told its size says 0.
      return stderr.columns || 80;
    },
    style: (style, text, stream = 'out') =>
      styleText(style, text, { stream: stream === 'out' ? stdout : stderr, validateStream: true }),
    environment: env,
  };
}

/** The same without progress and notes. */
export function quietTerminal(terminal: Terminal): Terminal {
  return { ...terminal, columns: terminal.columns, isInteractive: false, err: () => {} };
}
