import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BackendName } from '@dafl/run/options';
import type { BenchmarkCase, BenchmarkRecipe } from '@dafl/run/benchmark';

/** What a process that runs a backend is told first. */
export interface BackendSetup {
  readonly backend: BackendName;
  /** Absent: as many as the backend likes. */
  readonly threads?: number;
  readonly allowSoftwareGpu?: boolean;
  readonly case: BenchmarkCase;
}

/** What a process that runs PyTorch is told first. */
export interface PyTorchSetup {
  readonly variant: 'official' | 'channels-last' | 'kept-memory';
  readonly threads: number;
  readonly recipe: BenchmarkRecipe;
  /** The file of the first weights and latent vectors. */
  readonly tensors: string;
  readonly draws: readonly (readonly number[])[];
}

/** What a contestant's setup is made of. */
export interface ContestantContext {
  readonly case: BenchmarkCase;
  readonly recipe: BenchmarkRecipe;
  readonly tensors: string;
  readonly draws: readonly (readonly number[])[];
}

/** A contestant before it is started. */
export interface ContestantPlan {
  /** `wasm-2-threads`, `pytorch`, ... */
  readonly name: string;
  readonly command: readonly [program: string, ...parameters: string[]];
  /** Variables that its process gets beside this one's. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether it was asked for by name: then it is an error if it cannot run. */
  readonly isRequired: boolean;
  createSetup(context: ContestantContext): BackendSetup | PyTorchSetup;
}

/** Who takes part. */
export interface ContestantChoice {
  /** Absent: all but cpu, which exists to be read and to test the others by, and takes minutes for a step. */
  readonly backends?: readonly BackendName[];
  /** All that there are. */
  readonly known: readonly BackendName[];
  readonly allowSoftwareGpu: boolean;
  /** Interpreter with torch; null for no PyTorch; absent: `python3`, if it has torch. */
  readonly python?: string | null;
}

/** Threads that wasm takes by itself at most. */
const MOST_WASM_THREADS = 8;

/** Makes glibc keep what it has got from the system: no block is mapped by itself, and nothing is given back. */
const KEPT_MEMORY = {
  MALLOC_MMAP_MAX_: '0',
  MALLOC_TRIM_THRESHOLD_: String(2 ** 40),
  MALLOC_TOP_PAD_: String(2 ** 28),
};

const program = fileURLToPath(new URL(`./contestant-process${extname(import.meta.filename)}`, import.meta.url));
const pytorchScript = fileURLToPath(new URL('../../bench/pytorch-step.py', import.meta.url));

/** The contestants that are to be tried, wasm with one thread and with all of them, PyTorch last. */
export function listContestants({ backends, known, allowSoftwareGpu, python }: ContestantChoice): ContestantPlan[] {
  const isRequired = backends !== undefined;
  const cores = availableParallelism();
  const planBackend = (name: string, backend: BackendName, threads?: number): ContestantPlan => ({
    name,
    command: [process.execPath, program],
    isRequired,
    createSetup: (context) => ({ backend, threads, allowSoftwareGpu, case: context.case }),
  });
  const planPyTorch = (name: string, variant: PyTorchSetup['variant']): ContestantPlan => ({
    name,
    command: [python ?? 'python3', pytorchScript],
    environment: variant === 'kept-memory' ? KEPT_MEMORY : undefined,
    isRequired: python !== undefined,
    createSetup: ({ recipe, tensors, draws }) => ({ variant, threads: cores, recipe, tensors, draws }),
  });
  const plans = (backends ?? known.filter((name) => name !== 'cpu')).flatMap((backend) => {
    if (backend !== 'wasm') return [planBackend(backend, backend)];
    const all = Math.min(cores, MOST_WASM_THREADS);
    const one = planBackend('wasm-1-thread', 'wasm', 1);
    return all === 1 ? [one] : [one, planBackend(`wasm-${all}-threads`, 'wasm', all)];
  });
  if (python === null) return plans;
  const pytorch = [planPyTorch('pytorch', 'official'), planPyTorch('pytorch-channels-last', 'channels-last')];
  // Elsewhere there is no glibc, and it would be the same a second time.
  if (process.platform === 'linux') pytorch.push(planPyTorch('pytorch-kept-memory', 'kept-memory'));
  return [...plans, ...pytorch];
}
