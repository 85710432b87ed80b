import { DaflError, fail, type TensorBackend } from '@dafl/core';
import { loadTensorflow } from './load-tensorflow.ts';
import { NodeBackend } from './node-backend.ts';

/** Options of `createNodeBackend`; all have defaults. */
export interface NodeBackendOptions {
  /** `'auto'` (default) takes CUDA where TensorFlow finds a GPU, the CPU elsewhere. */
  readonly device?: 'auto' | 'cuda' | 'cpu';
  /** Threads of one operation. Default: one for each core. It counts for the process's first backend only. */
  readonly threads?: number;
}

/**
 * A backend that computes with TensorFlow's own library, on CUDA or on the CPU, in Node, Bun and Deno.
 *
 * The library comes from `dafl doctor --setup-tensorflow`, `@tensorflow/tfjs-node-gpu` or `@tensorflow/tfjs-node`,
 * whichever is found first. Only their native addon is loaded, none of their JavaScript.
 *
 * @throws {DaflError} `USAGE` if no TensorFlow is installed or can be loaded, or the device is not there.
 * @throws {DaflError} `USAGE` if `threads` is out of range.
 * @example
 * ```ts
 * const backend = createNodeBackend({ device: 'cpu' });
 * const product = backend.matMul(left, right, false, false);
 * console.log(await backend.read(product));
 * await backend.close();
 * ```
 */
export function createNodeBackend(options: NodeBackendOptions = {}): TensorBackend {
  const { device = 'auto', threads = null } = options;
  if (threads !== null && (!Number.isInteger(threads) || threads < 1)) {
    fail({ cannot: 'create the node backend', as: "'threads' must be an integer >= 1", value: threads });
  }
  if (device === 'cpu') process.env['CUDA_VISIBLE_DEVICES'] ??= '-1';
  const { binding, location } = loadTensorflow(threads);
  const hasGpu = binding.isUsingGpuDevice();
  if (device === 'cuda' && !hasGpu) {
    throw new DaflError(
      'USAGE',
      `Cannot use CUDA as TensorFlow ${binding.TF_Version} (${location.source}) must find a GPU: current devices are CPUs. See 'dafl doctor'`,
    );
  }
  if (device === 'cpu' && hasGpu) {
    throw new DaflError(
      'USAGE',
      "Cannot use the CPU as this process's TensorFlow must not have started on a GPU: set CUDA_VISIBLE_DEVICES=-1",
    );
  }
  return new NodeBackend(binding, `node (TensorFlow ${binding.TF_Version}, ${hasGpu ? 'CUDA' : 'CPU'})`);
}
