import { closeSync, constants, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';

/** The call that writing takes; tests make it write less than it is given, or fail. */
export type WriteCall = (descriptor: number, content: Uint8Array, offset: number) => number;

/**
 * A file that grows by whole entries. Synchronously: entries keep their order, and none waits in memory for a slow disk.
 */
export class AppendFile {
  readonly #path: string;
  readonly #write: WriteCall;
  #descriptor: number | null = null;

  /** @param path Opened at the first entry, for its owner only where there is none yet. */
  constructor(path: string, write: WriteCall = writeSync) {
    this.#path = path;
    this.#write = write;
  }

  /**
   * Appends an entry whole or not at all: a system may take a part of what it is given and fail with the rest.
   *
   * @throws {NodeJS.ErrnoException} If the disk does not take it; the file is as it was then.
   */
  append(entry: string | Uint8Array): void {
    const content = typeof entry === 'string' ? Buffer.from(entry) : entry;
    this.#descriptor ??= openSync(this.#path, 'a', 0o600);
    const descriptor = this.#descriptor;
    const { size: before, mode } = fstatSync(descriptor);
    try {
      for (let written = 0; written < content.length;) written += this.#write(descriptor, content, written);
    } catch (error) {
      if ((mode & constants.S_IFMT) === constants.S_IFREG) ftruncateSync(descriptor, before);
      throw error;
    }
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }
}
