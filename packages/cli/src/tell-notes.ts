import type { Terminal } from './terminal.ts';

/** Tells what was found or assumed as a model was read. */
export function tellNotes(notes: readonly string[], terminal: Terminal): void {
  for (const note of notes) terminal.err(`${terminal.style('yellow', 'note:', 'err')} ${note}\n`);
}
