import { existsSync, readdirSync } from 'node:fs';
import { DaflError, describeModel, fail, type Graph, graphCost, type TensorBackend } from '@dafl/core';
import type { BackendName } from '../options/distillation-options.ts';

/** A backend that is ready to compute. */
export interface SelectedBackend {
  readonly name: BackendName;
  readonly backend: TensorBackend;
  /** Why this one, to stand behind its name. */
  readonly reason: string;
}

/** Options of `selectBackend`. */
export interface SelectBackendOptions {
  readonly backend: 'auto' | BackendName;
  /** Threads of wasm and of TensorFlow on the CPU. Absent: as many as the backend likes. */
  readonly threads?: number;
  /** What is to be computed: `auto` goes by it. Absent: as for wide networks. */
  readonly networks?: readonly Graph[];
  /** Whether WebGPU may run on a software adapter, which computes on the CPU; default false. `auto` never takes one. */
  readonly allowSoftwareGpu?: boolean;
}

type Settings = Omit<SelectBackendOptions, 'backend' | 'networks'>;

/** Backends by name. None is loaded before it is tried. */
const factories: Readonly<Record<BackendName, (settings: Settings) => Promise<TensorBackend>>> = {
  node: async ({ threads }) => (await import('@dafl/backend-node')).createNodeBackend({ threads }),
  webgpu: async ({ allowSoftwareGpu = false }) => {
    if (!allowSoftwareGpu) {
      const advice = '. --allow-software-gpu lets a driver on the CPU do';
      assertDevice(GPU_DEVICE, 'WebGPU', '/dev/dri/renderD*, /dev/nvidia* or /dev/dxg', advice);
    }
    const { createWebgpuBackend } = await import('@dafl/backend-webgpu');
    return await createWebgpuBackend({ allowSoftwareAdapter: allowSoftwareGpu });
  },
  wasm: async ({ threads }) => await (await import('@dafl/backend-wasm')).createWasmBackend({ threads }),
  cpu: async () => (await import('@dafl/backend-cpu')).createCpuBackend(),
};

interface Candidate {
  readonly name: BackendName;
  readonly create: (settings: Settings) => Promise<TensorBackend>;
}

const onGpu: readonly Candidate[] = [
  {
    name: 'node',
    create: async ({ threads }) => {
      assertDevice(CUDA_DEVICE, 'CUDA', '/dev/nvidia*, /dev/nvmap or /dev/dxg');
      return (await import('@dafl/backend-node')).createNodeBackend({ device: 'cuda', threads });
    },
  },
  { name: 'webgpu', create: async (settings) => await factories.webgpu({ ...settings, allowSoftwareGpu: false }) },
];
const byTensorflow: Candidate = {
  name: 'node',
  create: async ({ threads }) => (await import('@dafl/backend-node')).createNodeBackend({ device: 'cpu', threads }),
};
const byWasm: Candidate = { name: 'wasm', create: factories.wasm };

/**
 * TensorFlow's library is made for wide layers: with so many multiply-accumulates for each value that a layer writes it is
 * faster than wasm, with fewer slower. By `npm run bench:backends` (bench/results/backends.json) it took 1.2 to 1.5 times as
 * long for LeNet-5 (17), MobileNetV2 (13) and ResNet-20 (44), and half to 0.85 of the time for WideResNet-16-2 (80),
 * airbench (146), VGG-8 (159), ResNet-18 (195) and dense layers (375).
 */
const WIDE = 60;

/** Multiply-accumulates for each value that the networks' layers write. */
function meanWidth(networks: readonly Graph[]): number {
  let multiplyAccumulates = 0;
  let values = 0;
  for (const graph of networks) {
    multiplyAccumulates += describeModel(graph).multiplyAccumulates;
    values += graphCost(graph).values;
  }
  return multiplyAccumulates / values;
}

/** What `auto` tries, the best first. */
function candidatesFor(networks: readonly Graph[] | undefined): Candidate[] {
  const isNarrow = networks !== undefined && networks.length > 0 && meanWidth(networks) < WIDE;
  return [
    ...onGpu,
    ...(isNarrow ? [byWasm, byTensorflow] : [byTensorflow, byWasm]),
    { name: 'cpu', create: factories.cpu },
  ];
}

/** Why `auto` took what it took; says no more than what can be known without starting the others. */
function explain(name: BackendName, networks: readonly Graph[] | undefined): string {
  if (name !== 'wasm' || networks === undefined || networks.length === 0)
    return "chosen as the best one here; 'dafl doctor' tells of the others";
  const width = meanWidth(networks);
  return width < WIDE
    ? `chosen as the fastest for narrow networks on a CPU: ${width.toFixed(0)} multiply-accumulates for each value, TensorFlow is faster from ${WIDE} on`
    : "chosen as the best one here; 'dafl doctor' tells of the others";
}

/** What Linux names its GPUs, those of a Windows beneath it included. */
const GPU_DEVICE = /^(renderD\d+|nvidia\d+|dxg)$/;
/** Those that CUDA runs on; `nvmap` is that of a Jetson. */
const CUDA_DEVICE = /^(nvidia\d+|nvidiactl|nvmap|dxg)$/;

/**
 * Spares machines without a GPU the search for a driver: that of WebGPU writes warnings of its own, and that of TensorFlow
 * loads its library, which takes two seconds and 300 MB.
 */
function assertDevice(pattern: RegExp, what: string, names: string, advice = ''): void {
  if (process.platform !== 'linux') return;
  const found = ['/dev', '/dev/dri'].filter((folder) => existsSync(folder)).flatMap((folder) => readdirSync(folder));
  if (found.some((name) => pattern.test(name))) return;
  fail({ cannot: `use ${what}`, as: `this machine must have a GPU (${names})`, value: `none${advice}` });
}

/** Names of all backends, in the order in which `auto` prefers them for wide networks. */
export const backendNames: readonly BackendName[] = Object.keys(factories) as BackendName[];

/**
 * Starts the backend that is asked for; with `auto` the best one that runs here: CUDA, a GPU through WebGPU; on the CPU
 * TensorFlow for wide networks and wasm for narrow ones; cpu. It goes by what is here and by the networks' shapes, and
 * measures nothing, so that a seed repeats a run. The caller closes it.
 *
 * @throws {DaflError} `USAGE` if the backend that is asked for cannot run here, saying why.
 */
export async function selectBackend({
  backend,
  networks,
  ...settings
}: SelectBackendOptions): Promise<SelectedBackend> {
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
  for (const { name, create } of candidatesFor(networks)) {
    try {
      const created = await create(settings);
      return { name, backend: created, reason: explain(name, networks) };
    } catch (error) {
      reasons.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new DaflError('USAGE', `Cannot choose a backend as one must be able to run here: ${reasons.join('; ')}`);
}
