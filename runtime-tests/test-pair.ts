import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { createCpuBackend } from '@dafl/backend-cpu';
import { repositoryRoot } from '../scripts/workspace.ts';
import { openPage } from './open-page.ts';
import type { Pair } from './pairs.ts';
import { runProgram } from './runtimes.ts';
import { serveSources, sourceImports } from './serve-sources.ts';
import type { PairOutcome } from './run-pair.ts';
import { compareLosses, type LossAgreement, type LossHistory, recordLosses } from './training-run.ts';

/** A row of the table. */
export type PairRow = Pick<Pair, 'backend' | 'runtime'> &
  (
    | {
        readonly outcome: 'ran';
        /** Such as `Node 24.21.0`. */
        readonly version: string;
        /** What the backend says of itself. */
        readonly description: string;
        readonly passed: number;
        readonly failed: readonly { readonly name: string; readonly message: string }[];
        readonly skipped: readonly { readonly reason: string; readonly tests: readonly string[] }[];
        readonly losses: LossAgreement;
        readonly seconds: number;
      }
    /** The process or the page ended without a result. */
    | { readonly outcome: 'broken'; readonly message: string; readonly seconds: number }
    | { readonly outcome: 'unavailable'; readonly reason: string }
  );

/** Debian's chromium brings SwiftShader, a Vulkan driver in software, and a loader for it. */
const SOFTWARE_VULKAN = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** SwiftShader is slow: minutes, where the other rows take seconds. */
const TIMEOUT_MS = 600_000;

/** Runs one row of the table from the repository's sources. */
export async function testPair({ backend, runtime, unavailable }: Pair, reference: LossHistory): Promise<PairRow> {
  const pair = { backend, runtime };
  if (unavailable !== undefined) return { ...pair, outcome: 'unavailable', reason: unavailable };
  const startedMs = performance.now();
  const elapsed = (): number => Number(((performance.now() - startedMs) / 1000).toFixed(1));
  let result: PairOutcome;
  try {
    result = runtime === 'chromium' ? await runInPage(backend) : await runInProcess(pair as ProcessPair);
  } catch (error) {
    return {
      ...pair,
      outcome: 'broken',
      message: error instanceof Error ? error.message : String(error),
      seconds: elapsed(),
    };
  }
  if (result.outcome === 'unavailable') return { ...pair, outcome: 'unavailable', reason: result.reason };
  const { report, losses } = result;
  const reasons = [...new Set(report.skipped.map(({ reason }) => reason))];
  return {
    ...pair,
    outcome: 'ran',
    version: result.runtime,
    description: report.backend,
    passed: report.passed,
    failed: report.failed,
    skipped: reasons.map((reason) => ({
      reason,
      tests: report.skipped.filter((test) => test.reason === reason).map(({ name }) => name),
    })),
    losses: compareLosses(losses, reference),
    seconds: elapsed(),
  };
}

/** The losses that every row is compared with: float64, in the process that this runs in. */
export async function recordReference(): Promise<LossHistory> {
  return await recordLosses(createCpuBackend({ precision: 'float64' }));
}

type ProcessPair = Pair & { readonly runtime: Exclude<Pair['runtime'], 'chromium'> };

async function runInProcess({ backend, runtime }: ProcessPair): Promise<PairOutcome> {
  const files = ['--allow-read', '--allow-env', '--allow-sys', '--node-modules-dir=manual', '--no-remote'];
  const { passed, stdout, report } = await runProgram(
    runtime,
    [join(repositoryRoot, 'runtime-tests', 'run-pair-process.ts'), backend],
    {
      cwd: repositoryRoot,
      environment: backend === 'webgpu' ? softwareVulkan() : {},
      // TensorFlow is a native addon.
      denoFlags: backend === 'node' ? [...files, '--allow-ffi'] : files,
      timeoutMs: TIMEOUT_MS,
    },
  );
  if (!passed) throw new Error(report);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as PairOutcome;
}

async function runInPage(backend: Pair['backend']): Promise<PairOutcome> {
  return await openPage<PairOutcome>({
    imports: sourceImports(),
    serve: serveSources(repositoryRoot),
    script: `const { runPair } = await import('/runtime-tests/run-pair.ts'); await send(await runPair('${backend}'));`,
    ...(backend === 'webgpu' && {
      flags: ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-features=Vulkan'],
    }),
    timeoutMs: TIMEOUT_MS,
  });
}

/** Points Vulkan at SwiftShader where it is installed and nothing else was asked for. */
function softwareVulkan(): Record<string, string> {
  if (process.env['VK_ICD_FILENAMES'] !== undefined || !existsSync(SOFTWARE_VULKAN)) return {};
  const libraries = [dirname(SOFTWARE_VULKAN), ...(process.env['LD_LIBRARY_PATH']?.split(delimiter) ?? [])];
  return { VK_ICD_FILENAMES: SOFTWARE_VULKAN, LD_LIBRARY_PATH: libraries.join(delimiter) };
}
