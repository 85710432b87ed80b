import { existsSync, readFileSync, truncateSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { DaflError } from '@dafl/core';
import { AppendFile } from '@dafl/run';

/** Where a reader stands: what it has read, in events and in bytes. */
export interface LogPosition {
  readonly id: number;
  readonly byte: number;
}

/** Bytes that one read takes, unless a single event is longer. */
const READ_BYTES = 65_536;
/** Bytes between the places that a log remembers. */
const MARK_BYTES = READ_BYTES / 2;

/**
 * The events of one job on disk, a line of JSON each; the number of its line, from 1, is an event's id.
 *
 * Readers hold a position and read from the file at their own pace, so that a slow one costs no memory.
 */
export class EventLog {
  readonly #path: string;
  readonly #listeners = new Set<() => void>();
  readonly #file: AppendFile;
  /** Some of the positions behind events, in order. */
  readonly #marks: LogPosition[] = [{ id: 0, byte: 0 }];
  #count: number;
  /** Only of a log that is appended to. */
  #bytes = 0;
  #hasEnded: boolean;

  private constructor(path: string, count: number, hasEnded: boolean) {
    this.#path = path;
    this.#file = new AppendFile(path);
    this.#count = count;
    this.#hasEnded = hasEnded;
  }

  /** Opens the log of a job that has ended and has `count` events. */
  static ended(path: string, count: number): EventLog {
    return new EventLog(path, count, true);
  }

  /** Opens a log to append to. A line that a crash cut short is removed. */
  static appendable(path: string): EventLog {
    const log = new EventLog(path, 0, false);
    if (existsSync(path)) {
      const bytes = readFileSync(path);
      truncateSync(path, bytes.lastIndexOf(10) + 1);
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, end + 1)) log.#counted(end + 1);
    }
    return log;
  }

  /** Id of the last event; 0 before the first. */
  get count(): number {
    return this.#count;
  }

  /** Whether no event will follow. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /**
   * Appends one event. Synchronously: events keep their order, and none waits in memory for a slow disk.
   *
   * @throws {NodeJS.ErrnoException} If the disk does not take it.
   */
  append(event: object): void {
    const line = `${JSON.stringify(event)}\n`;
    this.#file.append(line);
    this.#counted(this.#bytes + Buffer.byteLength(line));
    this.#notify();
  }

  /** Says that no event will follow. */
  end(): void {
    this.#hasEnded = true;
    this.#file.close();
    this.#notify();
  }

  /** Calls `listener` after each change, until the function that it returns is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A position to read from that is not behind the event `id`, and near it where the log has been there before. */
  positionNear(id: number): LogPosition {
    return this.#marks.findLast((mark) => mark.id <= id)!;
  }

  /**
   * Reads the whole lines that follow `position`, as many as one read takes.
   *
   * @returns The lines without their ends, none if there are no more yet, and the position behind them.
   */
  async read(position: LogPosition): Promise<{ lines: string[]; position: LogPosition }> {
    if (position.id >= this.#count) return { lines: [], position };
    const file = await open(this.#path, 'r');
    try {
      for (let size = READ_BYTES; ; size *= 2) {
        const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(size), position: position.byte });
        const end = buffer.subarray(0, bytesRead).lastIndexOf(10) + 1;
        if (end > 0) {
          const lines = buffer.toString('utf8', 0, end - 1).split('\n');
          const behind = { id: position.id + lines.length, byte: position.byte + end };
          this.#mark(behind);
          return { lines, position: behind };
        }
        if (bytesRead < size) {
          throw new DaflError(
            'STORAGE',
            `Cannot read '${this.#path}' as it must hold ${this.#count} events: it ends after ${position.id}`,
          );
        }
      }
    } finally {
      await file.close();
    }
  }

  /** Takes notice of one event more, which ends before `byte`. */
  #counted(byte: number): void {
    this.#count++;
    this.#bytes = byte;
    this.#mark({ id: this.#count, byte });
  }

  #mark(position: LogPosition): void {
    if (position.byte - this.#marks.at(-1)!.byte >= MARK_BYTES) this.#marks.push(position);
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}
