import type { Terminal } from './terminal.ts';

/** For tests: a terminal that keeps what is written to it. */
export interface FakeTerminal extends Terminal {
  readonly written: { out: string; err: string };
}

/** @param options Overrides of a terminal off any screen, 80 characters wide and without colours. */
export function fakeTerminal(
  options: Partial<Pick<Terminal, 'isInteractive' | 'hasKeyboard' | 'pictureForm' | 'columns' | 'environment'>> = {},
): FakeTerminal {
  const written = { out: '', err: '' };
  return {
    written,
    out: (text) => void (written.out += text),
    err: (text) => void (written.err += text),
    alert: (text) => void (written.err += text),
    isInteractive: false,
    hasKeyboard: false,
    pictureForm: async () => undefined,
    columns: 80,
    style: (_, text) => text,
    environment: {},
    refusal: undefined,
    onUnread: () => {},
    settle: async () => {},
    ...options,
  };
}
