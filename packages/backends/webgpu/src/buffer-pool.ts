import { fail } from '@dafl/core';

/** A buffer on the device, shared by the tensors that `reshape` made of one another. */
export interface PooledBuffer {
  readonly buffer: GPUBuffer;
  /** Tells buffers apart in the keys of cached bind groups. */
  readonly id: number;
  /** Bytes of the size class: at least what was asked for. */
  readonly bytes: number;
  /** The batch of commands that last used it; see `CommandQueue.batch`. */
  batch: number;
}

/** What a pool needs to know of the device. */
export interface BufferPoolOptions {
  readonly device: GPUDevice;
  readonly usage: number;
  readonly maximumBytes: number;
  /** Called before buffers are destroyed: commands that use them must have been submitted by then. */
  readonly onTrim: () => void;
}

const SMALLEST_BYTES = 256;

/** Free buffers beyond what is in use and this are given back to the device. */
const SPARE_BYTES = 256 * 1024 * 1024;

let nextId = 1;

/**
 * Sizes that buffers come in: four steps to each power of two, so that at most a fifth of a buffer is unused and the tensors of
 * one training step find the buffers of the step before.
 */
export function sizeClass(bytes: number): number {
  if (bytes <= SMALLEST_BYTES) return SMALLEST_BYTES;
  const step = 2 ** (Math.floor(Math.log2(bytes - 1)) - 2);
  return Math.ceil(bytes / step) * step;
}

/**
 * Buffers that are used again and again. A buffer may be handed out anew while commands that read it are still to run:
 * commands run in the order in which they were given.
 */
export class BufferPool {
  readonly #options: BufferPoolOptions;
  readonly #free = new Map<number, PooledBuffer[]>();
  #liveBytes = 0;
  #freeBytes = 0;
  #created = 0;

  constructor(options: BufferPoolOptions) {
    this.#options = options;
  }

  /** How many buffers were ever created. */
  get created(): number {
    return this.#created;
  }

  /**
   * A buffer of at least `bytes` bytes, holding anything.
   *
   * @throws {DaflError} `OUT_OF_MEMORY` if the device has no buffers of that size.
   */
  take(bytes: number, purpose: string): PooledBuffer {
    const { device, usage, maximumBytes } = this.#options;
    if (bytes > maximumBytes) {
      fail({
        code: 'OUT_OF_MEMORY',
        cannot: `make ${purpose}`,
        as: `its size must be at most ${maximumBytes} bytes on this GPU`,
        value: bytes,
      });
    }
    const size = Math.min(sizeClass(bytes), Math.floor(maximumBytes / 16) * 16);
    const pooled = this.#free.get(size)?.pop();
    this.#liveBytes += size;
    if (pooled !== undefined) {
      this.#freeBytes -= size;
      return pooled;
    }
    this.#created += 1;
    return { buffer: device.createBuffer({ size, usage }), id: nextId++, bytes: size, batch: -1 };
  }

  /** Takes a buffer back. */
  give(pooled: PooledBuffer): void {
    this.#liveBytes -= pooled.bytes;
    this.#freeBytes += pooled.bytes;
    const free = this.#free.get(pooled.bytes);
    if (free === undefined) this.#free.set(pooled.bytes, [pooled]);
    else free.push(pooled);
    if (this.#freeBytes > this.#liveBytes + SPARE_BYTES) this.trim();
  }

  /** Destroys every free buffer. */
  trim(): void {
    this.#options.onTrim();
    for (const free of this.#free.values()) for (const { buffer } of free) buffer.destroy();
    this.#free.clear();
    this.#freeBytes = 0;
  }
}
