import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { SymmetricDecomposition } from '@dafl/methods';

/** In the repository this file is TypeScript and its neighbour too; in the package both are JavaScript. */
const script = import.meta.url.endsWith('.ts')
  ? new URL('./decompose-worker.ts', import.meta.url)
  : new URL('../decompose-worker.js', import.meta.url);

/**
 * `decomposeSymmetric` in a thread of its own: signals and timers are heard meanwhile.
 *
 * @throws `AbortError` as soon as the signal is aborted.
 */
export async function decomposeAside(
  matrix: Float64Array,
  size: number,
  signal?: AbortSignal,
): Promise<SymmetricDecomposition> {
  signal?.throwIfAborted();
  const worker = new Worker(script, { workerData: { matrix, size } });
  try {
    const [decomposition] = (await once(worker, 'message', { signal })) as [SymmetricDecomposition];
    return decomposition;
  } finally {
    await worker.terminate();
  }
}
