import { freemem } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TensorBackend } from '@dafl/core';
import { listTeachers } from '@dafl/models';
import {
  backendNames,
  daflVersion,
  describeMachine,
  describeRuntime,
  findLocalMnist,
  freeBytes,
  type Runtime,
  selectBackend,
} from '@dafl/run';

const MEASURE_MS = 1_000;
/** (module (func (result v128) i32.const 0 i8x16.splat)) */
const SIMD = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11];
/** The same with f32x4.relaxed_madd of three such vectors. */
const RELAXED_SIMD = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0, 65, 0, 253, 15, 65, 0, 253, 15, 65,
  0, 253, 15, 253, 133, 2, 11,
];

/** What `dafl doctor` found. */
export interface Diagnosis {
  readonly dafl: string;
  readonly runtime: Runtime;
  /** The version of Node that the runtime is, or is like. */
  readonly node: string;
  readonly machine: ReturnType<typeof describeMachine>;
  readonly freeMemoryBytes: number;
  readonly freeDiskBytes: number | null;
  readonly webAssembly: { readonly simd: boolean; readonly relaxedSimd: boolean; readonly sharedMemory: boolean };
  readonly backends: readonly {
    readonly name: string;
    readonly isAvailable: boolean;
    /** In words, or why it is not available. */
    readonly description: string;
    /** Of a 3x3 convolution, forward, over a second; null if not available. */
    readonly gigaflopsPerSecond: number | null;
  }[];
  readonly teachers: readonly string[];
  /** Folder of the files, or null. */
  readonly mnist: string | null;
}

/** Finds out what this machine offers. */
export async function diagnose(allowSoftwareGpu: boolean, signal: AbortSignal): Promise<Diagnosis> {
  const backends: Diagnosis['backends'][number][] = [];
  for (const name of backendNames) {
    // A backend that computes never waits.
    await nextTurn();
    signal.throwIfAborted();
    try {
      const { backend } = await selectBackend({ backend: name, allowSoftwareGpu });
      try {
        backends.push({
          name,
          isAvailable: true,
          description: backend.description,
          gigaflopsPerSecond: await measure(backend),
        });
      } finally {
        await backend.close();
      }
    } catch (error) {
      const description = reasonOf(error);
      backends.push({ name, isAvailable: false, description, gigaflopsPerSecond: null });
    }
  }
  return {
    dafl: daflVersion(),
    runtime: describeRuntime(),
    node: process.versions.node,
    machine: describeMachine(),
    freeMemoryBytes: freemem(),
    freeDiskBytes: (await freeBytes(process.cwd())) ?? null,
    webAssembly: {
      simd: WebAssembly.validate(Uint8Array.from(SIMD)),
      relaxedSimd: WebAssembly.validate(Uint8Array.from(RELAXED_SIMD)),
      sharedMemory: hasSharedMemory(),
    },
    backends,
    teachers: listTeachers(),
    mnist: (await findLocalMnist('test')) ?? null,
  };
}

/** Why a backend cannot run here: what its own error says, without what `selectBackend` adds. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}

function hasSharedMemory(): boolean {
  try {
    return new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer instanceof SharedArrayBuffer;
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError) return false;
    throw error;
  }
}

/** GFLOP/s of the generator's middle convolution (3x3, 32 to 16 channels at 32x32), for about a second. */
async function measure(backend: TensorBackend): Promise<number> {
  const [batch, side, inputs, outputs, kernelSide] = [8, 32, 32, 16, 3];
  const images = backend.tensor(new Float32Array(batch * side * side * inputs).fill(0.5), [batch, side, side, inputs]);
  const kernel = backend.tensor(new Float32Array(kernelSide ** 2 * inputs * outputs).fill(0.1), [
    kernelSide,
    kernelSide,
    inputs,
    outputs,
  ]);
  const options = {
    strides: [1, 1],
    padding: { top: 1, bottom: 1, left: 1, right: 1 },
    dilations: [1, 1],
    groups: 1,
  } as const;
  const once = async (): Promise<void> => {
    const result = backend.conv2d(images, kernel, null, options);
    await backend.read(result);
    backend.dispose(result);
  };
  await once();
  const startedMs = performance.now();
  let count = 0;
  while (performance.now() - startedMs < MEASURE_MS || count === 0) {
    await once();
    count++;
  }
  const seconds = (performance.now() - startedMs) / 1000;
  backend.dispose(images);
  backend.dispose(kernel);
  const operations = 2 * batch * side ** 2 * kernelSide ** 2 * inputs * outputs;
  return (operations * count) / seconds / 1e9;
}
