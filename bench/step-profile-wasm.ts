/**
 * Where the time of a step goes on the wasm backend, for the official step at batch 256 and for the fast one:
 * `node bench/step-profile-wasm.ts [--before commit] [--steps 12]`.
 *
 * `--before` measures the wasm backend of a commit too, in turn with the present one, step by step, both under the
 * present core. A step's time is the median, and so is the time of each kernel in it.
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { createWasmBackend } from '@dafl/backend-wasm';
import { dafl, distill, presets, shrink } from '@dafl/core';
import { builtInTeacher } from '@dafl/models';
import { type KernelTime, profileBackend } from './_profile-backend.ts';
import { storeResult } from './_store-result.ts';

const BATCH_SIZE = 256;
/** Steps before the first that counts: engines compile twice, and the heap grows. */
const WARM_UP_STEPS = 3;
/** Kernels listed of each step, the slowest. */
const LISTED_KERNELS = 24;

const { values } = parseArgs({
  options: { before: { type: 'string' }, steps: { type: 'string', default: '12' } },
});
const steps = Number(values.steps);
const teacher = await builtInTeacher('lenet5-mnist');
const student = shrink(teacher.graph, 0.5);

type CreateBackend = typeof createWasmBackend;

/** The backend of a commit, from its sources; what it imports of core is the present one. */
async function loadBackend(commit: string, folder: string): Promise<CreateBackend> {
  const archive = execFileSync('git', ['archive', commit, 'packages/backends/wasm'], { maxBuffer: 2 ** 28 });
  execFileSync('tar', ['-x', '-C', folder], { input: archive });
  await symlink(join(import.meta.dirname, '..', 'node_modules'), join(folder, 'node_modules'), 'junction');
  const { href } = pathToFileURL(join(folder, 'packages/backends/wasm/src/index.ts'));
  return ((await import(href)) as { createWasmBackend: CreateBackend }).createWasmBackend;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}

async function startRun(create: CreateBackend, preset: 'fast' | 'paper', threads: number) {
  const inner = await create({ threads });
  const profile = profileBackend(inner);
  const { training, dafl: options } = presets[preset];
  const method = dafl({ ...options, batchSize: BATCH_SIZE });
  const { backend } = profile;
  // One step more than measured: the last one also makes pictures.
  const run = distill({ backend, teacher, student, method, training, steps: WARM_UP_STEPS + steps + 1, seed: 0 });
  await run.next();
  const stepMs: number[] = [];
  const kernels: Map<string, KernelTime>[] = [];
  return {
    async step(isCounted: boolean): Promise<void> {
      profile.times.clear();
      const startedMs = performance.now();
      await run.next();
      if (!isCounted) return;
      stepMs.push(performance.now() - startedMs);
      kernels.push(new Map(profile.times));
    },
    async finish(): Promise<object> {
      await run.return();
      await inner.close();
      const stepMedian = median(stepMs);
      const keys = new Set(kernels.flatMap((times) => [...times.keys()]));
      const rows = [...keys].map((key) => {
        const seen = kernels.map((times) => times.get(key) ?? { kernel: key, shapes: '', calls: 0, milliseconds: 0 });
        const { kernel, shapes } = seen[0];
        return {
          kernel,
          shapes,
          calls: median(seen.map(({ calls }) => calls)),
          milliseconds: median(seen.map(({ milliseconds }) => milliseconds)),
        };
      });
      const kernelMs = rows.reduce((total, { milliseconds }) => total + milliseconds, 0);
      const slowest = rows.sort((a, b) => b.milliseconds - a.milliseconds).slice(0, LISTED_KERNELS);
      return {
        stepMilliseconds: round(stepMedian),
        fastestStepMilliseconds: round(Math.min(...stepMs)),
        outsideKernelsMilliseconds: round(stepMedian - kernelMs),
        peakTensorBytes: profile.peakBytes,
        slowestKernels: slowest.map(({ kernel, shapes, calls, milliseconds }) => ({
          kernel,
          shapes,
          calls,
          milliseconds: round(milliseconds),
          percent: round((100 * milliseconds) / stepMedian),
        })),
      };
    },
  };
}

const folder = await mkdtemp(join(tmpdir(), 'dafl-profile-'));
const backends: Record<string, CreateBackend> = { now: createWasmBackend };
if (values.before !== undefined) backends.before = await loadBackend(values.before, folder);
const measured: Record<string, object> = {};
for (const preset of ['paper', 'fast'] as const) {
  for (const threads of [2, 1]) {
    const runs = await Promise.all(Object.values(backends).map((create) => startRun(create, preset, threads)));
    for (let step = 0; step < WARM_UP_STEPS + steps; step++) {
      for (const run of runs) await run.step(step >= WARM_UP_STEPS);
    }
    const results = await Promise.all(runs.map((run) => run.finish()));
    measured[`${preset}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`] = Object.fromEntries(
      Object.keys(backends).map((name, index) => [name, results[index]]),
    );
  }
}
await rm(folder, { recursive: true });
const parameters = Object.entries(values).map(([name, value]) => ` --${name} ${value}`);
await storeResult('step-profile-wasm', `node bench/step-profile-wasm.ts${parameters.join('')}`, {
  batchSize: BATCH_SIZE,
  ...(values.before === undefined ? {} : { before: values.before }),
  ...measured,
});
