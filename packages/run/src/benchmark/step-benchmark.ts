import { DaflError, distill, type StepEvent, type TensorBackend } from '@dafl/core';
import { type BenchmarkCase, prepareCase } from './benchmark-case.ts';
import { countStep, type StepCount } from './count-step.ts';

/** Loss terms of one step by name. */
export type StepLosses = Readonly<Record<string, number>>;

/** What some steps took. */
export interface StepTiming {
  /** Of all of them together. */
  readonly milliseconds: number;
  /** Of the last one. */
  readonly losses: StepLosses;
}

/** The fastest square matrix product. */
export interface MatMulPeak {
  readonly gigaflopsPerSecond: number;
  /** Rows and columns of the matrices. */
  readonly size: number;
}

/** A distillation that stands still between the steps that are measured. */
export interface StepBenchmark {
  readonly count: StepCount;
  /** Runs `count` steps, exactly as `distill` does: latents drawn and uploaded, losses read back. */
  step(count: number): Promise<StepTiming>;
  /** Multiplies square matrices on the same backend; the largest only where they do not take long. */
  measureMatMul(): Promise<MatMulPeak>;
  /** Frees the run; the backend stays. */
  close(): Promise<void>;
}

/** Sizes of the matrices whose product shows what a machine can do. */
const MATRIX_SIZES: readonly number[] = [1024, 1536, 2048];
/** A size is tried only where the one before took less. */
const MATRIX_PATIENCE_MS = 400;

/**
 * Sets a case up on a backend.
 *
 * @throws {DaflError} As `prepareCase` and `distill` do.
 */
export async function createStepBenchmark(backend: TensorBackend, benchmark: BenchmarkCase): Promise<StepBenchmark> {
  const prepared = await prepareCase(benchmark);
  // Iterating drives the run: between two steps nothing is computed.
  const events = distill({ ...prepared.options, backend });

  async function nextStep(): Promise<StepEvent> {
    for (;;) {
      const { value, done } = await events.next();
      if (done === true) throw new DaflError('USAGE', 'Cannot measure a step as the run must not be closed');
      if (value.event === 'step') return value;
    }
  }

  return {
    count: countStep(prepared),
    async step(count) {
      let losses: StepLosses = {};
      const startedMs = performance.now();
      for (let index = 0; index < count; index++) ({ losses } = await nextStep());
      return { milliseconds: performance.now() - startedMs, losses };
    },
    measureMatMul: async () => await measureMatMul(backend),
    async close() {
      await events.return();
    },
  };
}

async function measureMatMul(backend: TensorBackend): Promise<MatMulPeak> {
  let best: MatMulPeak = { gigaflopsPerSecond: 0, size: 0 };
  for (const size of MATRIX_SIZES) {
    const values = Float32Array.from({ length: size * size }, (_, index) => ((index * 7) % 31) / 31 - 0.5);
    const left = backend.tensor(values, [size, size]);
    const right = backend.tensor(values, [size, size]);
    const once = async (): Promise<number> => {
      const startedMs = performance.now();
      const product = backend.matMul(left, right, false, false);
      // One element tells that the product is there, and costs no copy of it.
      const corner = backend.slice(product, [0, 0], [1, 1]);
      await backend.read(corner);
      const milliseconds = performance.now() - startedMs;
      backend.dispose(corner);
      backend.dispose(product);
      return milliseconds;
    };
    const firstMs = await once();
    // The first one may have to take memory; where it is slow anyway, it stands.
    const milliseconds = firstMs < MATRIX_PATIENCE_MS ? Math.min(firstMs, await once()) : firstMs;
    backend.dispose(left);
    backend.dispose(right);
    const gigaflopsPerSecond = (2 * size ** 3) / (milliseconds * 1e6);
    if (gigaflopsPerSecond > best.gigaflopsPerSecond) best = { gigaflopsPerSecond, size };
    if (milliseconds > MATRIX_PATIENCE_MS) break;
  }
  return best;
}
