import {
  type ElementKernelName,
  type ElementValues,
  kernelArguments,
  type KernelName,
  type KernelValues,
  layOutArguments,
} from './kernel-arguments.ts';
import { ARGUMENTS_ADDRESS } from './kernel-sizes.ts';
import type { KernelThreads } from './kernel-threads.ts';
import type { WasmHeap } from './wasm-heap.ts';

/** What the compiled kernels export (`assembly/scheduler.ts`). */
export interface KernelExports {
  runAlone(kernel: number, chunkCount: number): void;
  runShared(kernel: number, chunkCount: number, mayBlock: number): void;
  closeWorkers(): void;
}

/** Elements of one chunk of an element-wise kernel: 64 kB of each array. */
export const CHUNK_ELEMENTS = 16_384;

/** Multiply-adds (or elements moved) below which waking other threads costs more than it gains. */
const SMALLEST_SHARED_WORK = 50_000;

/** A kernel's number, and in the order of its arguments their names and whether they are floats. */
interface Layout {
  readonly id: number;
  readonly names: readonly string[];
  readonly areFloats: readonly boolean[];
}

const layouts: ReadonlyMap<KernelName, Layout> = new Map(
  (Object.keys(kernelArguments) as KernelName[]).map((kernel, id) => {
    const entries = layOutArguments(kernel);
    const names = entries.map(([name]) => name);
    return [kernel, { id, names, areFloats: entries.map(([, type]) => type === 'float') }];
  }),
);

const mostArguments = Math.max(...[...layouts.values()].map(({ names }) => names.length));

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
  /** The arguments of the running kernel, as integers and as floats. */
  readonly #integers: Int32Array;
  readonly #floats: Float32Array;
  #scratchAddress = 0;
  #scratchBytes = 0;

  constructor(options: KernelRunnerOptions) {
    this.heap = options.heap;
    this.#kernels = options.kernels;
    this.#threads = options.threads;
    this.#mayBlock = options.mayBlock ? 1 : 0;
    const { buffer } = options.heap.memory;
    this.#integers = new Int32Array(buffer, ARGUMENTS_ADDRESS, mostArguments);
    this.#floats = new Float32Array(buffer, ARGUMENTS_ADDRESS, mostArguments);
  }

  /**
   * Runs all chunks of a kernel; does nothing where there are none.
   *
   * @param work Rough number of elements or multiply-adds, which decides whether other threads are woken.
   * @param values The kernel's arguments by their names.
   */
  run<Name extends KernelName>(kernel: Name, chunkCount: number, work: number, values: KernelValues<Name>): void {
    if (chunkCount <= 0) return;
    const { id, names, areFloats } = layouts.get(kernel)!;
    for (let i = 0; i < names.length; i++) {
      const value = (values as Readonly<Record<string, number>>)[names[i]];
      if (areFloats[i]) this.#floats[i] = value;
      else this.#integers[i] = value;
    }
    if (this.#threads.count === 1 || chunkCount < 2 || work < SMALLEST_SHARED_WORK) {
      this.#kernels.runAlone(id, chunkCount);
    } else {
      this.#kernels.runShared(id, chunkCount, this.#mayBlock);
    }
  }

  /** Runs a kernel of single elements in chunks of `CHUNK_ELEMENTS`. */
  runElements<Name extends ElementKernelName>(
    kernel: Name,
    count: number,
    work: number,
    values: ElementValues<Name>,
  ): void {
    const all = { ...values, count, chunkSize: CHUNK_ELEMENTS } as KernelValues<Name>;
    this.run(kernel, Math.ceil(count / CHUNK_ELEMENTS), work, all);
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
