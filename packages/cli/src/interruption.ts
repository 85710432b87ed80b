import { constants } from 'node:os';
import type { Terminal } from './terminal.ts';

/** What ends a command before its time: a signal, or that nobody reads what it writes any more. */
type Cause = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGPIPE';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Interruptions as an abort signal. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** 128 and the number of what interrupted; undefined if nothing did. */
  readonly exitCode: number | undefined;
  /** Whether nobody reads the output any more. */
  readonly isUnread: boolean;
  /** How long the command may take to end in order; default 1.7 s, so that it has ended within 2 s. */
  graceMs: number;
  /** Gives the signals back to Node. */
  stop(): void;
}

const GRACE_MS = 1_700;

/**
 * The first Ctrl-C, SIGTERM, SIGHUP or closed pipe asks the work to end in order; the second, or the end of the grace, ends
 * the process. Files are written whole or not at all, so that nothing is left half-written either way.
 */
export function watchInterruption(terminal: Terminal): Interruption {
  const controller = new AbortController();
  let cause: Cause | undefined;
  const codeOf = (name: Cause): number => 128 + (constants.signals[name] ?? 0);
  const interrupt = (name: Cause): void => {
    if (cause !== undefined) {
      if (name !== 'SIGPIPE') process.exit(codeOf(cause));
      return;
    }
    cause = name;
    if (name !== 'SIGPIPE') {
      terminal.alert(
        `${terminal.isInteractive ? '\r\u001B[2K' : ''}Stopping in good order. Once more to stop at once\n`,
      );
    }
    setTimeout(() => process.exit(codeOf(name)), interruption.graceMs).unref();
    controller.abort();
  };
  const interruption: Interruption = {
    signal: controller.signal,
    get exitCode() {
      return cause && codeOf(cause);
    },
    get isUnread() {
      return cause === 'SIGPIPE';
    },
    graceMs: GRACE_MS,
    stop() {
      for (const name of SIGNALS) process.removeListener(name, interrupt);
    },
  };
  for (const name of SIGNALS) process.on(name, interrupt);
  terminal.onUnread(() => interrupt('SIGPIPE'));
  return interruption;
}
