import { DaflError, type TensorBackend } from '@dafl/core';
import type { BackendName } from './distillation-options.ts';

/** A backend that is ready to compute. */
export interface SelectedBackend {
  readonly name: BackendName;
  readonly backend: TensorBackend;
  /** Why this one: `wasm (auto: fastest that runs here)`. */
  readonly reason: string;
}

/** Options of `selectBackend`. */
export interface SelectBackendOptions {
  readonly backend: 'auto' | BackendName;
  /** Absent: as many as the backend likes. */
  readonly threads?: number;
}

/** Backends by name, the fastest first. None is loaded before it is tried. */
const factories: Readonly<Record<BackendName, (threads: number | undefined) => Promise<TensorBackend>>> = {
  wasm: async (threads) => (await import('@dafl/backend-wasm')).createWasmBackend({ threads }),
  cpu: async () => (await import('@dafl/backend-cpu')).createCpuBackend(),
};

/** Names of all backends, the fastest first. */
export const backendNames: readonly BackendName[] = Object.keys(factories) as BackendName[];

/**
 * Starts the backend that is asked for; with `auto` the fastest one that runs on this machine. The caller closes it.
 *
 * @throws {DaflError} `USAGE` if the backend that is asked for cannot run here, saying why.
 */
export async function selectBackend({ backend, threads }: SelectBackendOptions): Promise<SelectedBackend> {
  const passedOver: string[] = [];
  for (const name of backend === 'auto' ? backendNames : [backend]) {
    try {
      const created = await factories[name](threads);
      const others = passedOver.length === 0 ? 'the fastest one here' : passedOver.join('; ');
      return { name, backend: created, reason: backend === 'auto' ? `chosen as ${others}` : 'as asked for' };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (backend === name) {
        throw new DaflError('USAGE', `Cannot use backend '${name}' as it must be able to run here: ${message}`, {
          cause: error,
        });
      }
      passedOver.push(`${name} cannot run here: ${message}`);
    }
  }
  throw new DaflError('USAGE', `Cannot choose a backend as one must be able to run here: ${passedOver.join('; ')}`);
}
