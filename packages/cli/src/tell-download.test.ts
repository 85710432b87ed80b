import { expect, test } from 'vitest';
import { fakeTerminal } from './_fake-terminal.ts';
import { tellDownload } from './tell-download.ts';

function tell(isInteractive: boolean): string {
  const terminal = fakeTerminal({ isInteractive });
  const onDownload = tellDownload(terminal);
  for (const [received, total] of [[0], [800_000, 1_600_000], [1_600_000, 1_600_000]])
    onDownload('https://mirror/file.gz', received, total);
  return terminal.written.err;
}

test('off a terminal: one line', () => {
  expect(tell(false)).toBe('Downloading https://mirror/file.gz\n');
});

test('on a terminal: how much has come, in a line that is redrawn and goes at the end', () => {
  expect(tell(true)).toBe('Downloading https://mirror/file.gz\n\r\u001B[2K0.8 of 1.6 MB\r\u001B[2K');
});
