import type { BackendDescription } from '@dafl/conformance/run-conformance';
import type { TensorBackend } from '@dafl/core';

/** A backend as the runtime tests need it: in sources that every runtime loads, so nothing is imported before its use. */
export interface TestedBackend extends BackendDescription {
  /** Whether machines and runtimes may lack what it needs. Where it cannot start, that is then a reason to skip. */
  readonly isOptional: boolean;
}

/** Names of the backends under test. */
export type TestedBackendName = 'cpu' | 'wasm' | 'webgpu' | 'node';

/** The backends under test. Two threads: as many as the smallest machines have, and enough to share work. */
export const testedBackends: Readonly<Record<TestedBackendName, TestedBackend>> = {
  cpu: {
    name: 'cpu',
    isOptional: false,
    create: async () => (await import('@dafl/backend-cpu')).createCpuBackend({ precision: 'float32' }),
    // Each kernel rounds once, at its end, so only the kernels that the suite runs in a row add to half a unit.
    tolerance: { absolute: 1e-7, relative: 2e-7 },
  },
  wasm: {
    name: 'wasm',
    isOptional: false,
    create: async () => await (await import('@dafl/backend-wasm')).createWasmBackend({ threads: 2 }),
  },
  webgpu: {
    name: 'webgpu',
    isOptional: true,
    create: async () =>
      await (await import('@dafl/backend-webgpu')).createWebgpuBackend({ allowSoftwareAdapter: true }),
  },
  node: {
    name: 'node',
    isOptional: true,
    create: async (): Promise<TensorBackend> =>
      (await import('@dafl/backend-node')).createNodeBackend({ device: 'cpu' }),
    skip: [
      {
        reason: 'convolutions of few channels run as products of whole rows, all of which a NaN in one pixel reaches',
        tests: ['convolution > conv2d and gradients: NaN and infinities reach what reads them, and no more'],
      },
      {
        reason: "oneDNN's max pooling passes over NaN and starts from the lowest finite number",
        tests: ['pooling > maxPool2d: -Infinity and Infinity', 'pooling > maxPool2d: NaN'],
      },
    ],
  },
};
