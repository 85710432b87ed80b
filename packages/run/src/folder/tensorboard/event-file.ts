import { join } from 'node:path';
import { AppendFile } from '../append-file.ts';
import { toStorageError } from '../storage-error.ts';
import { createFolder } from '../write-file-atomically.ts';
import { maskedCrc32c } from './crc32c.ts';
import { encodeEvent, type TensorboardEvent } from './encode-event.ts';

/** A file of events that TensorBoard reads while it grows. */
export class EventFile {
  readonly #path: string;
  readonly #file: AppendFile;

  private constructor(path: string) {
    this.#path = path;
    this.#file = new AppendFile(path);
  }

  /** Starts a new file in a folder, which may hold those of earlier sessions. */
  static async create(folder: string, nowMs: number = Date.now()): Promise<EventFile> {
    await createFolder(folder);
    const file = new EventFile(join(folder, `events.out.tfevents.${Math.floor(nowMs / 1000)}.dafl.${process.pid}`));
    await file.append({ wallTime: nowMs / 1000, step: 0, fileVersion: 'brain.Event:2' });
    return file;
  }

  /** @throws {DaflError} `STORAGE` */
  async append(event: TensorboardEvent): Promise<void> {
    try {
      this.#file.append(frameRecord(encodeEvent(event)));
    } catch (error) {
      throw await toStorageError(error, this.#path);
    }
  }

  close(): void {
    this.#file.close();
  }
}

/**
 * A TFRecord: length, its checksum, the data, their checksum, little-endian.
 *
 * Source: tensorflow/core/lib/io/record_writer.h.
 */
export function frameRecord(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(data.length + 16);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc32c(record.subarray(0, 8)), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc32c(data), true);
  return record;
}
