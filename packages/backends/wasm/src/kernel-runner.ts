import type { KernelThreads } from './kernel-threads.ts';
import { ARGUMENTS_ADDRESS } from './kernel-sizes.ts';
import type { WasmHeap } from './wasm-heap.ts';

/** What the compiled kernels export (`assembly/scheduler.ts`). */
export interface KernelExports {
  runAlone(kernel: number, chunkCount: number): void;
  runShared(kernel: number, chunkCount: number, mayBlock: number): void;
  closeWorkers(): void;
}

/** How many arguments a kernel may have. */
const MOST_ARGUMENTS = 48;

/** Elements of one chunk of an element-wise kernel: 64 kB of each array. */
export const CHUNK_ELEMENTS = 16_384;

/** Multiply-adds (or elements moved) below which waking other threads costs more than it gains. */
const SMALLEST_SHARED_WORK = 50_000;

const floatBits: Float32Array = new Float32Array(1);
const integerBits: Int32Array = new Int32Array(floatBits.buffer);

/** The bits of a float as an integer, as a kernel's argument. */
export function asFloat(value: number): number {
  floatBits[0] = value;
  return integerBits[0];
}

/** What is needed to run kernels. */
export interface KernelRunnerOptions {
  readonly kernels: KernelExports;
  readonly heap: WasmHeap;
  readonly threads: KernelThreads;
  /** Whether the calling thread may wait without spinning. */
  readonly mayBlock: boolean;
}

/** Launches kernels, and keeps the memory that they use besides tensors. */
export class KernelRunner {
  readonly heap: WasmHeap;
  readonly #kernels: KernelExports;
  readonly #threads: KernelThreads;
  readonly #mayBlock: number;
  readonly #arguments: Int32Array;
  #scratchAddress = 0;
  #scratchBytes = 0;

  constructor(options: KernelRunnerOptions) {
    this.heap = options.heap;
    this.#kernels = options.kernels;
    this.#threads = options.threads;
    this.#mayBlock = options.mayBlock ? 1 : 0;
    this.#arguments = new Int32Array(options.heap.memory.buffer, ARGUMENTS_ADDRESS, MOST_ARGUMENTS);
  }

  /**
   * Runs all chunks of a kernel; does nothing where there are none.
   *
   * @param work Rough number of elements or multiply-adds, which decides whether other threads are woken.
   * @param values The kernel's arguments; floats by `asFloat`.
   */
  run(kernel: number, chunkCount: number, work: number, values: readonly number[]): void {
    if (chunkCount <= 0) return;
    this.#arguments.set(values);
    if (this.#threads.count === 1 || chunkCount < 2 || work < SMALLEST_SHARED_WORK) {
      this.#kernels.runAlone(kernel, chunkCount);
    } else {
      this.#kernels.runShared(kernel, chunkCount, this.#mayBlock);
    }
  }

  /** Runs a kernel whose chunks are `CHUNK_ELEMENTS` of `count` elements each. */
  runElements(kernel: number, count: number, work: number, values: readonly number[]): void {
    this.run(kernel, Math.ceil(count / CHUNK_ELEMENTS), work, values);
  }

  /** Runs `body` with a block of memory that is free again afterwards. */
  withTemporary<Result>(bytes: number, body: (address: number) => Result): Result {
    const address = this.heap.allocate(bytes, 'working memory');
    try {
      return body(address);
    } finally {
      this.heap.free(address);
    }
  }

  /** Address of as many times `bytesPerThread` as there are threads. Valid until the next call. */
  scratch(bytesPerThread: number): number {
    const bytes = bytesPerThread * this.#threads.slots;
    if (bytes > this.#scratchBytes) {
      if (this.#scratchBytes > 0) this.heap.free(this.#scratchAddress);
      this.#scratchBytes = 0;
      this.#scratchAddress = this.heap.allocate(bytes, 'working memory');
      this.#scratchBytes = bytes;
    }
    return this.#scratchAddress;
  }

  async close(): Promise<void> {
    this.#kernels.closeWorkers();
    await this.#threads.close();
  }
}
