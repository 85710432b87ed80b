import type { DownloadSettings } from '@dafl/run';
import type { Terminal } from './terminal.ts';

const MEGABYTE = 1e6;
const CLEAR = '\r\u001B[2K';

/** Gives what tells downloads on a terminal: a line for each, and how much has come where a person looks. */
export function tellDownload(terminal: Terminal): NonNullable<DownloadSettings['onDownload']> {
  return (address, receivedBytes, totalBytes) => {
    if (receivedBytes === 0) terminal.err(`Downloading ${address}\n`);
    else if (terminal.isInteractive && totalBytes !== undefined) {
      const [received, total] = [receivedBytes, totalBytes].map((bytes) => (bytes / MEGABYTE).toFixed(1));
      // The line goes when all has come.
      terminal.err(receivedBytes < totalBytes ? `${CLEAR}${received} of ${total} MB` : CLEAR);
    }
  };
}
