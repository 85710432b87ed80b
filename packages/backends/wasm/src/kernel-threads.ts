import { DaflError } from '@dafl/core';
/** Where this code runs, as far as starting threads goes. */
type Host = 'node' | 'web';

/** Workers that serve one instance of the kernels. */
export interface KernelThreads {
  /** Threads in all, the caller's included. */
  readonly count: number;
  /** One more than the largest number that a thread has: more than `count` where a worker failed to start. */
  readonly slots: number;
  /** Why there are fewer than asked for, or null. */
  readonly reason: string | null;
  /** Ends the workers, once the scheduler was told to let them go. */
  close(): Promise<void>;
}

interface StartedWorker {
  readonly ready: Promise<void>;
  terminate(): Promise<void>;
}

const START_TIMEOUT_MS = 10_000;

function detectHost(): Host {
  const isNode = typeof process === 'object' && typeof process.getBuiltinModule === 'function';
  // Deno has both kinds of workers, but only Node's kind can be kept from holding the process open.
  return isNode && !('Bun' in globalThis) ? 'node' : 'web';
}

/** Threads that pay: one for each core that this process may use. */
export function countCores(): number {
  if (detectHost() === 'node') {
    return process.getBuiltinModule('node:os').availableParallelism();
  }
  return globalThis.navigator?.hardwareConcurrency ?? 1;
}

/** Whether a shared memory can be sent to workers here: a page has to be cross-origin isolated for it. */
export function canShareMemory(): boolean {
  return (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated !== false || 'Deno' in globalThis;
}

/** Whether the calling thread may wait for others without spinning. */
export function mayBlock(): boolean {
  return !('document' in globalThis);
}

function startNodeWorker(start: object): StartedWorker {
  // Not an import: a bundler for browsers would stumble over it.
  const { Worker } = process.getBuiltinModule('node:worker_threads');
  const worker = new Worker(new URL('./kernel-worker.js', import.meta.url), { workerData: start, execArgv: [] });
  const ready = new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new DaflError('STORAGE', `the worker ended with code ${code}`)));
  });
  return {
    ready: ready.then(() => worker.unref()),
    terminate: async () => {
      await worker.terminate();
    },
  };
}

function startWebWorker(start: object): StartedWorker {
  const worker = new Worker(new URL('./kernel-worker.js', import.meta.url), { type: 'module' });
  const ready = new Promise<void>((resolve, reject) => {
    worker.addEventListener('message', () => resolve(), { once: true });
    worker.addEventListener(
      'error',
      (event) => {
        event.preventDefault();
        reject(new DaflError('STORAGE', event.message || 'the worker failed to load'));
      },
      { once: true },
    );
  });
  worker.postMessage(start);
  return {
    // Bun's workers hold the process open unless told otherwise; Deno's and a page's have no such method.
    ready: ready.then(() => (worker as { unref?: () => void }).unref?.()),
    terminate: async () => worker.terminate(),
  };
}

async function withTimeout(promise: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    await Promise.race([
      promise,
      new Promise<void>((_, reject) => {
        timer = setTimeout(
          () => reject(new DaflError('STORAGE', `no answer within ${START_TIMEOUT_MS} ms`)),
          START_TIMEOUT_MS,
        );
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}

function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Starts `count - 1` workers and waits until each is in the scheduler's loop.
 *
 * A worker that can't start costs a thread, not the backend: `reason` then says why.
 */
export async function startKernelThreads(
  count: number,
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
): Promise<KernelThreads> {
  const workers: StartedWorker[] = [];
  let reason: string | null = null;
  if (count > 1 && !canShareMemory()) {
    reason = 'the page is not cross-origin isolated';
  } else {
    const host = detectHost();
    const starting = Array.from({ length: count - 1 }, async (_, i) => {
      const start = { module, memory, index: i + 1 };
      const worker = host === 'node' ? startNodeWorker(start) : startWebWorker(start);
      try {
        await withTimeout(worker.ready);
        return worker;
      } catch (error) {
        await worker.terminate();
        throw error;
      }
    });
    for (const attempt of await Promise.allSettled(starting)) {
      if (attempt.status === 'fulfilled') workers.push(attempt.value);
      else reason = `a worker could not start: ${describeError(attempt.reason)}`;
    }
  }
  return {
    count: workers.length + 1,
    slots: count,
    reason,
    close: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()));
      workers.length = 0;
    },
  };
}
