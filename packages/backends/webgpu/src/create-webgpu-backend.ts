import { DaflError, type TensorBackend } from '@dafl/core';
import { CommandQueue } from './command-queue.ts';
import type { GpuPowerPreference } from './find-gpu-adapter.ts';
import { openGpuAdapter } from './open-gpu-adapter.ts';
import { WebgpuBackend } from './webgpu-backend.ts';

/** Options of `createWebgpuBackend`; all have defaults. */
export interface WebgpuBackendOptions {
  /**
   * Whether a software adapter will do: SwiftShader, lavapipe, a browser's fallback. They compute on the CPU, slower
   * than the wasm backend, and serve for tests. Default false.
   */
  readonly allowSoftwareAdapter?: boolean;
  /** Which of several GPUs to take. Default: the system's choice. */
  readonly powerPreference?: GpuPowerPreference;
}

/** Limits whose defaults are below what most GPUs have. The device gets all that the adapter has. */
const RAISED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
] as const satisfies readonly (keyof GPUSupportedLimits)[];

/**
 * A backend that computes on the GPU by WebGPU: the browser's, Deno's, or in Node and Bun that of the package `webgpu`,
 * which is to be installed beside this one.
 *
 * `read` and all that follows reject where the GPU's memory ran out or the device was lost.
 *
 * @throws {DaflError} `USAGE` if there is no GPU, or only a software adapter and none is allowed; the message says what
 *   is missing and how to get it.
 * @example
 * ```ts
 * const backend = await createWebgpuBackend();
 * const product = backend.matMul(left, right, false, false);
 * console.log(await backend.read(product));
 * await backend.close();
 * ```
 */
export async function createWebgpuBackend(options: WebgpuBackendOptions = {}): Promise<TensorBackend> {
  const { allowSoftwareAdapter = false, powerPreference } = options;
  const { adapter, description, isSoftware } = await openGpuAdapter(powerPreference);
  if (isSoftware && !allowSoftwareAdapter) {
    throw new DaflError(
      'USAGE',
      `Cannot create the webgpu backend as its adapter must be a GPU: current adapter is ${description}, which computes ` +
        `on the CPU. The option 'allowSoftwareAdapter' allows it`,
    );
  }
  const requiredLimits: Record<string, number> = {};
  for (const name of RAISED_LIMITS) {
    const limit = adapter.limits[name];
    if (typeof limit === 'number') requiredLimits[name] = limit;
  }
  const device = await adapter.requestDevice({ requiredLimits });
  return new WebgpuBackend({
    queue: new CommandQueue(device),
    description: `webgpu (${description}${isSoftware ? ', software' : ''})`,
  });
}
