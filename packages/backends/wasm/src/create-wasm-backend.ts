import { DaflError, type TensorBackend } from '@dafl/core';
import { countCores, mayBlock, startKernelThreads } from './kernel-threads.ts';
import { type KernelExports, WasmBackend } from './wasm-backend.ts';
import { WasmHeap } from './wasm-heap.ts';

/** Options of `createWasmBackend`; all have defaults. */
export interface WasmBackendOptions {
  /** Threads, the caller's included. Default: the cores that the process may use, at most 8. */
  readonly threads?: number;
  /** Most memory that tensors may take, in bytes; at most, and by default, 4 GiB. */
  readonly maximumMemoryBytes?: number;
  /** Whether to use relaxed SIMD (fused multiply-add). Default: where the engine has it. */
  readonly relaxedSimd?: boolean;
}

const PAGE_BYTES = 65_536;
const LARGEST_MEMORY_BYTES = 2 ** 32;
const SMALLEST_MEMORY_BYTES = 2 ** 22;
const MOST_DEFAULT_THREADS = 8;

/** (module (func (result v128) i32.const 0, i8x16.splat three times, f32x4.relaxed_madd)) */
const RELAXED_SIMD_PROBE: Uint8Array<ArrayBuffer> = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0, 65, 0, 253, 15, 65, 0, 253, 15, 65,
  0, 253, 15, 253, 133, 2, 11,
]);

function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

async function loadKernels(isRelaxed: boolean): Promise<WebAssembly.Module> {
  const text = isRelaxed
    ? (await import('./generated/kernels-relaxed-simd.ts')).relaxedSimdKernels
    : (await import('./generated/kernels-simd.ts')).simdKernels;
  return await WebAssembly.compile(decodeBase64(text));
}

/** A shared memory as large as the engine grants: some refuse to reserve 4 GiB of addresses. */
function createMemory(maximumBytes: number): { memory: WebAssembly.Memory; maximumBytes: number } {
  for (let bytes = maximumBytes; ; bytes = Math.floor(bytes / 2 / PAGE_BYTES) * PAGE_BYTES) {
    try {
      const memory = new WebAssembly.Memory({
        initial: SMALLEST_MEMORY_BYTES / PAGE_BYTES,
        maximum: bytes / PAGE_BYTES,
        shared: true,
      });
      return { memory, maximumBytes: bytes };
    } catch (error) {
      if (!(error instanceof RangeError) || bytes / 2 < SMALLEST_MEMORY_BYTES) throw error;
    }
  }
}

/**
 * A backend that computes in WebAssembly: 128-bit SIMD, on several threads where the runtime allows.
 *
 * Results are the same, bit for bit, whatever the number of threads. They may differ in the last places with and without
 * relaxed SIMD, which multiplies and adds in one rounding.
 *
 * @throws {DaflError} `USAGE` if `threads` or `maximumMemoryBytes` is out of range, or `relaxedSimd` is asked for in an engine
 *   that lacks it.
 * @example
 * ```ts
 * const backend = await createWasmBackend({ threads: 2 });
 * const product = backend.matMul(left, right, false, false);
 * console.log(await backend.read(product));
 * await backend.close();
 * ```
 */
export async function createWasmBackend(options: WasmBackendOptions = {}): Promise<TensorBackend> {
  const threads = options.threads ?? Math.min(countCores(), MOST_DEFAULT_THREADS);
  if (!Number.isInteger(threads) || threads < 1 || threads > 64) {
    throw new DaflError(
      'USAGE',
      `Cannot create the wasm backend as 'threads' must be an integer between 1 and 64: current value is ${threads}`,
    );
  }
  const maximumMemoryBytes = options.maximumMemoryBytes ?? LARGEST_MEMORY_BYTES;
  if (!(maximumMemoryBytes >= SMALLEST_MEMORY_BYTES && maximumMemoryBytes <= LARGEST_MEMORY_BYTES)) {
    throw new DaflError(
      'USAGE',
      `Cannot create the wasm backend as 'maximumMemoryBytes' must be between ${SMALLEST_MEMORY_BYTES} and ` +
        `${LARGEST_MEMORY_BYTES}: current value is ${maximumMemoryBytes}`,
    );
  }
  const hasRelaxedSimd = WebAssembly.validate(RELAXED_SIMD_PROBE);
  if (options.relaxedSimd === true && !hasRelaxedSimd) {
    throw new DaflError(
      'USAGE',
      `Cannot create the wasm backend as 'relaxedSimd' must be false in this engine: current value is true`,
    );
  }
  const isRelaxed = options.relaxedSimd ?? hasRelaxedSimd;
  const module = await loadKernels(isRelaxed);
  const { memory, maximumBytes } = createMemory(Math.floor(maximumMemoryBytes / PAGE_BYTES) * PAGE_BYTES);
  const instance = await WebAssembly.instantiate(module, { env: { memory } });
  const pool = await startKernelThreads(threads, module, memory);
  const count = `${pool.count} ${pool.count === 1 ? 'thread' : 'threads'}`;
  return new WasmBackend({
    kernels: instance.exports as unknown as KernelExports,
    heap: new WasmHeap(memory, maximumBytes),
    threads: pool,
    mayBlock: mayBlock(),
    description: `wasm (${isRelaxed ? 'relaxed SIMD' : 'SIMD'}, ${count}${pool.reason === null ? '' : `: ${pool.reason}`})`,
  });
}
