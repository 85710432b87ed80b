import { openGpuAdapter } from './open-gpu-adapter.ts';

/** Which of several GPUs to take: the one that saves power or the fast one. Default: the system's choice. */
export type GpuPowerPreference = 'low-power' | 'high-performance';

/** Options of `findGpuAdapter`. */
export interface FindGpuAdapterOptions {
  readonly powerPreference?: GpuPowerPreference;
}

/** What WebGPU computes on here. */
export interface GpuAdapterDescription {
  /** As the driver names it, such as `SwiftShader driver 5.0.0`. */
  readonly description: string;
  /** Whether it is a program that plays a GPU on the CPU. */
  readonly isSoftware: boolean;
}

/**
 * Says which GPU `createWebgpuBackend` would take here, software ones included. Makes no device and holds nothing.
 *
 * @throws {DaflError} `USAGE` if there is none, saying what is missing.
 * @example
 * ```ts
 * const { description, isSoftware } = await findGpuAdapter();
 * ```
 */
export async function findGpuAdapter(options: FindGpuAdapterOptions = {}): Promise<GpuAdapterDescription> {
  const { description, isSoftware } = await openGpuAdapter(options.powerPreference);
  return { description, isSoftware };
}
