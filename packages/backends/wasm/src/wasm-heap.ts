import { DaflError } from '@dafl/core';
/** Every block starts on a cache line and is as long as whole cache lines. */
const ALIGNMENT = 64;
const PAGE_BYTES = 65_536;

/** Tensors start here: below lie the scheduler's block and what little static data the kernels have. */
const HEAP_START = PAGE_BYTES;

/** Kernels may read (never write) up to this far past the end of a block. */
const SLACK_BYTES = 256;

/** The heap grows by at least this much at once, or by a quarter where that is more. */
const MINIMUM_GROWTH_BYTES = 16 * 1024 * 1024;

/** Thrown where the memory that a backend may use is exhausted. */
export class OutOfMemoryError extends DaflError {
  override readonly name: string = 'OutOfMemoryError';

  constructor(message: string) {
    super('OUT_OF_MEMORY', message);
  }
}

/**
 * Blocks of a WebAssembly memory: best fit, neighbours that are free become one block at once.
 *
 * Addresses are plain numbers up to 2^32 and are truncated to 32 bits only where they enter a kernel.
 */
export class WasmHeap {
  readonly memory: WebAssembly.Memory;
  readonly #maximumBytes: number;
  #endAddress: number;
  #liveBytes = 0;
  /** Free blocks by size, then by address. */
  readonly #free: { address: number; bytes: number }[] = [];
  /** The same blocks by where they start and by where they end. */
  readonly #freeByStart = new Map<number, { address: number; bytes: number }>();
  readonly #freeByEnd = new Map<number, { address: number; bytes: number }>();
  /** Sizes of the blocks in use. */
  readonly #used = new Map<number, number>();

  /**
   * @param memory All of it from `HEAP_START` on is the heap's.
   * @param maximumBytes The memory's maximum size.
   */
  constructor(memory: WebAssembly.Memory, maximumBytes: number) {
    this.memory = memory;
    this.#maximumBytes = maximumBytes;
    this.#endAddress = memory.buffer.byteLength - SLACK_BYTES;
    this.#addFree(HEAP_START, this.#endAddress - HEAP_START);
  }

  /** Bytes in use, rounded up to whole blocks. */
  get liveBytes(): number {
    return this.#liveBytes;
  }

  /**
   * Finds a block of at least `bytes` bytes.
   *
   * @param purpose What it is for, for the error's text.
   * @returns Its address, a multiple of 64.
   * @throws {OutOfMemoryError} If the memory's maximum does not allow it.
   */
  allocate(bytes: number, purpose: string): number {
    const size = Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
    let index = this.#findFit(size, 0);
    if (index === this.#free.length) {
      this.#grow(size, bytes, purpose);
      index = this.#findFit(size, 0);
    }
    const block = this.#free[index];
    this.#removeFree(block);
    if (block.bytes > size) this.#addFree(block.address + size, block.bytes - size);
    this.#used.set(block.address, size);
    this.#liveBytes += size;
    return block.address;
  }

  /** Gives back what `allocate` returned. */
  free(address: number): void {
    const size = this.#used.get(address);
    if (size === undefined) {
      throw new DaflError('USAGE', `Cannot free as 'address' must be one in use: current value is ${address}`);
    }
    this.#used.delete(address);
    this.#liveBytes -= size;
    let start = address;
    let bytes = size;
    const before = this.#freeByEnd.get(address);
    if (before !== undefined) {
      this.#removeFree(before);
      start = before.address;
      bytes += before.bytes;
    }
    const after = this.#freeByStart.get(address + size);
    if (after !== undefined) {
      this.#removeFree(after);
      bytes += after.bytes;
    }
    this.#addFree(start, bytes);
  }

  /** Index of the first free block that is not smaller than (bytes, address). */
  #findFit(bytes: number, address: number): number {
    let low = 0;
    let high = this.#free.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const block = this.#free[middle];
      if (block.bytes < bytes || (block.bytes === bytes && block.address < address)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #addFree(address: number, bytes: number): void {
    if (bytes <= 0) return;
    const block = { address, bytes };
    this.#free.splice(this.#findFit(bytes, address), 0, block);
    this.#freeByStart.set(address, block);
    this.#freeByEnd.set(address + bytes, block);
  }

  #removeFree(block: { address: number; bytes: number }): void {
    this.#free.splice(this.#findFit(block.bytes, block.address), 1);
    this.#freeByStart.delete(block.address);
    this.#freeByEnd.delete(block.address + block.bytes);
  }

  #grow(size: number, askedBytes: number, purpose: string): void {
    const memoryBytes = this.#endAddress + SLACK_BYTES;
    const last = this.#freeByEnd.get(this.#endAddress);
    const missing = Math.ceil((size - (last?.bytes ?? 0)) / PAGE_BYTES) * PAGE_BYTES;
    const comfortable = Math.max(missing, MINIMUM_GROWTH_BYTES, Math.floor(memoryBytes / 4 / PAGE_BYTES) * PAGE_BYTES);
    const room = this.#maximumBytes - memoryBytes;
    for (const bytes of [Math.min(comfortable, room), missing]) {
      if (bytes < missing || bytes > room) continue;
      try {
        this.memory.grow(bytes / PAGE_BYTES);
      } catch (error) {
        // The engine refuses with a RangeError; a smaller step may still do.
        if (error instanceof RangeError) continue;
        throw error;
      }
      let start = this.#endAddress;
      let grown = bytes;
      if (last !== undefined) {
        this.#removeFree(last);
        start = last.address;
        grown += last.bytes;
      }
      this.#endAddress += bytes;
      this.#addFree(start, grown);
      return;
    }
    throw new OutOfMemoryError(
      `Cannot allocate ${purpose} as 'bytes' must fit into the ${this.#maximumBytes} bytes of the wasm backend's memory, ` +
        `of which ${this.#liveBytes} are in use: current value is ${askedBytes}`,
    );
  }
}
