/**
 * Measures how rounding grows over the training run, for `LOSS_TOLERANCE`: `node runtime-tests/measure-drift.ts`.
 *
 * Compares the float64 reference with cpu in float32, with wasm, and with itself where every arithmetic result is
 * multiplied by 1 + u, u uniform within +- the noise: `repetitions` runs, each with other noise.
 */
import { createCpuBackend } from '@dafl/backend-cpu';
import { createWasmBackend } from '@dafl/backend-wasm';
import { createRandomStream, type Tensor, type TensorBackend } from '@dafl/core';
import { storeResult } from '../bench/_store-result.ts';
import { compareLosses, LOSS_TOLERANCE, type LossHistory, recordLosses, TRAINING_STEPS } from './training-run.ts';

const REPETITIONS = 24;

/** Kernels that round: the others move values, or choose among them. */
const rounding: ReadonlySet<string | symbol> = new Set<keyof TensorBackend>([
  'unary',
  'binary',
  'affine',
  'leakyRelu',
  'leakyReluGradient',
  'reduce',
  'matMul',
  'conv2d',
  'conv2dInputGradient',
  'conv2dFilterGradient',
  'averagePool2d',
  'averagePool2dGradient',
  'upsampleNearest2dGradient',
]);

/** The float64 reference with noise on what its kernels return. */
function createNoisyBackend(noise: number, seed: number): TensorBackend {
  const backend = createCpuBackend({ precision: 'float64' });
  const random = createRandomStream(seed, 'noise');
  return new Proxy(backend, {
    get: (target, key) => {
      const member: unknown = Reflect.get(target, key, target);
      if (typeof member !== 'function') return member;
      if (!rounding.has(key)) return member.bind(target) as unknown;
      return (...parameters: unknown[]): Tensor => {
        const exact = (member as (...values: unknown[]) => Tensor).apply(target, parameters);
        const size = exact.shape.reduce((product, length) => product * length, 1);
        const factors = backend.tensor(
          Float64Array.from(random.uniform(size, -noise, noise), (share) => 1 + share),
          exact.shape,
        );
        const noisy = backend.binary('multiply', exact, factors);
        backend.dispose(exact);
        backend.dispose(factors);
        return noisy;
      };
    },
  });
}

async function record(backend: TensorBackend): Promise<LossHistory> {
  const losses = await recordLosses(backend);
  await backend.close();
  return losses;
}

/** Largest difference of any term in the steps up to a tenth, a half and the whole of the run. */
function measure(losses: LossHistory): Record<string, number> {
  return Object.fromEntries(
    [0.1, 0.5, 1].map((share) => {
      const steps = Math.round(TRAINING_STEPS * share);
      return [`steps1To${steps}`, compareLosses(losses.slice(0, steps), reference.slice(0, steps)).largestDifference];
    }),
  );
}

const reference = await record(createCpuBackend({ precision: 'float64' }));
const cpuFloat32 = measure(await record(createCpuBackend({ precision: 'float32' })));
const wasm = measure(await record(await createWasmBackend({ threads: 2 })));
const wasmPlainSimd = measure(await record(await createWasmBackend({ threads: 1, relaxedSimd: false })));
const noisy = [];
for (const noise of [1e-7, 1e-6]) {
  const runs: Record<string, number>[] = [];
  for (let seed = 0; seed < REPETITIONS; seed++) runs.push(measure(await record(createNoisyBackend(noise, seed))));
  noisy.push({
    noise,
    largest: Object.fromEntries(Object.keys(runs[0]).map((key) => [key, Math.max(...runs.map((run) => run[key]))])),
    runsBeyondTolerance: runs.filter((run) => Math.max(...Object.values(run)) > LOSS_TOLERANCE).length,
  });
}
const change = Object.fromEntries(
  Object.keys(reference[0]).map((term) => {
    const values = reference.map((step) => step[term]);
    return [term, Math.max(...values) - Math.min(...values)];
  }),
);
await storeResult('loss-drift', 'node runtime-tests/measure-drift.ts', {
  steps: TRAINING_STEPS,
  tolerance: LOSS_TOLERANCE,
  rangeOfEachTermInTheReference: change,
  largestDifferences: { cpuFloat32, wasm, wasmPlainSimd },
  repetitions: REPETITIONS,
  noisy,
});
