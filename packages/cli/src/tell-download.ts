import type { Terminal } from './terminal.ts';

/** Gives what tells downloads on a terminal. */
export function tellDownload(terminal: Terminal): (address: string) => void {
  return (address) => terminal.err(`Downloading ${address}\n`);
}
