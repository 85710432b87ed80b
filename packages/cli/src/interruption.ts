import type { Terminal } from './terminal.ts';

/** Ctrl-C and SIGTERM as an abort signal. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** Gives the signals back to Node. */
  stop(): void;
}

/**
 * The first Ctrl-C or SIGTERM asks the work to end in order; the second ends the process at once, as it would have been
 * without this.
 */
export function watchInterruption(terminal: Terminal): Interruption {
  const controller = new AbortController();
  const names = ['SIGINT', 'SIGTERM'] as const;
  const stop = (): void => {
    for (const name of names) process.removeListener(name, interrupt);
  };
  const interrupt = (name: (typeof names)[number]): void => {
    if (controller.signal.aborted) {
      stop();
      process.kill(process.pid, name);
      return;
    }
    terminal.err(`${terminal.isInteractive ? '\r\u001B[2K' : ''}Stopping in good order. Once more to stop at once\n`);
    controller.abort();
  };
  for (const name of names) process.on(name, interrupt);
  return { signal: controller.signal, stop };
}
