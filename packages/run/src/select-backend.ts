import { existsSync, readdirSync } from 'node:fs';
import { DaflError, type TensorBackend } from '@dafl/core';
import type { BackendName } from './distillation-options.ts';

/** A backend that is ready to compute. */
export interface SelectedBackend {
  readonly name: BackendName;
  readonly backend: TensorBackend;
  /** Why this one: `the fastest one here`. */
  readonly reason: string;
}

/** Options of `selectBackend`. */
export interface SelectBackendOptions {
  readonly backend: 'auto' | BackendName;
  /** Threads of wasm and of TensorFlow on the CPU. Absent: as many as the backend likes. */
  readonly threads?: number;
  /** Whether WebGPU may run on a software adapter, which computes on the CPU; default false. `auto` never takes one. */
  readonly allowSoftwareGpu?: boolean;
}

type Settings = Omit<SelectBackendOptions, 'backend'>;

/** Backends by name. None is loaded before it is tried. */
const factories: Readonly<Record<BackendName, (settings: Settings) => Promise<TensorBackend>>> = {
  node: async ({ threads }) => (await import('@dafl/backend-node')).createNodeBackend({ threads }),
  webgpu: async ({ allowSoftwareGpu = false }) => {
    if (!allowSoftwareGpu) assertGpuDevice();
    const { createWebgpuBackend } = await import('@dafl/backend-webgpu');
    return await createWebgpuBackend({ allowSoftwareAdapter: allowSoftwareGpu });
  },
  wasm: async ({ threads }) => await (await import('@dafl/backend-wasm')).createWasmBackend({ threads }),
  cpu: async () => (await import('@dafl/backend-cpu')).createCpuBackend(),
};

/** What `auto` tries, the best first. */
const candidates: readonly {
  readonly name: BackendName;
  readonly create: (settings: Settings) => Promise<TensorBackend>;
}[] = [
  {
    name: 'node',
    create: async ({ threads }) => (await import('@dafl/backend-node')).createNodeBackend({ device: 'cuda', threads }),
  },
  { name: 'webgpu', create: async (settings) => await factories.webgpu({ ...settings, allowSoftwareGpu: false }) },
  {
    name: 'node',
    create: async ({ threads }) => (await import('@dafl/backend-node')).createNodeBackend({ device: 'cpu', threads }),
  },
  { name: 'wasm', create: factories.wasm },
  { name: 'cpu', create: factories.cpu },
];

/** What Linux names its GPUs, those of a Windows beneath it included. */
const GPU_DEVICE = /^(renderD\d+|nvidia\d+|dxg)$/;

/** Spares machines without a GPU the search for a driver, which writes warnings of its own. */
function assertGpuDevice(): void {
  const names = ['/dev', '/dev/dri'].filter((folder) => existsSync(folder)).flatMap((folder) => readdirSync(folder));
  if (process.platform !== 'linux' || names.some((name) => GPU_DEVICE.test(name))) return;
  throw new DaflError(
    'USAGE',
    'Cannot use WebGPU as this machine must have a GPU (/dev/dri/renderD*, /dev/nvidia* or /dev/dxg): current value is none. --allow-software-gpu lets a driver on the CPU do',
  );
}

/** Names of all backends, in the order in which `auto` prefers them. */
export const backendNames: readonly BackendName[] = Object.keys(factories) as BackendName[];

/**
 * Starts the backend that is asked for; with `auto` the best one that runs here: CUDA, a GPU through WebGPU, TensorFlow
 * on the CPU, wasm, cpu. The caller closes it.
 *
 * @throws {DaflError} `USAGE` if the backend that is asked for cannot run here, saying why.
 */
export async function selectBackend({ backend, ...settings }: SelectBackendOptions): Promise<SelectedBackend> {
  if (backend !== 'auto') {
    try {
      return { name: backend, backend: await factories[backend](settings), reason: 'as asked for' };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new DaflError('USAGE', `Cannot use backend '${backend}' as it must be able to run here: ${message}`, {
        cause: error,
      });
    }
  }
  const reasons: string[] = [];
  for (const { name, create } of candidates) {
    try {
      const created = await create(settings);
      return { name, backend: created, reason: "chosen as the best one here; 'dafl doctor' tells of the others" };
    } catch (error) {
      reasons.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new DaflError('USAGE', `Cannot choose a backend as one must be able to run here: ${reasons.join('; ')}`);
}
