import { type ConformanceReport, runConformance } from '@dafl/conformance/run-conformance';
import { type TestedBackendName, testedBackends } from './backends.ts';
import { type LossHistory, recordLosses } from './training-run.ts';

/** What a runtime tells of one backend. */
export type PairOutcome =
  | {
      readonly outcome: 'ran';
      /** Such as `Node 24.21.0`. */
      readonly runtime: string;
      readonly report: ConformanceReport;
      readonly losses: LossHistory;
    }
  | { readonly outcome: 'unavailable'; readonly runtime: string; readonly reason: string };

/**
 * The conformance suite and the short training run on one backend, in the runtime that this code runs in.
 *
 * @throws Whatever a backend throws that has to be there.
 */
export async function runPair(name: TestedBackendName): Promise<PairOutcome> {
  const description = testedBackends[name];
  const runtime = nameRuntime();
  if (description.isOptional) {
    try {
      await (await description.create()).close();
    } catch (error) {
      // Only what the backend itself says it misses: any other error is a defect.
      if (!(error instanceof Error) || error.name !== 'DaflError') throw error;
      return { outcome: 'unavailable', runtime, reason: error.message };
    }
  }
  const report = await runConformance(description);
  const backend = await description.create();
  const losses = await recordLosses(backend);
  await backend.close();
  return { outcome: 'ran', runtime, report, losses };
}

function nameRuntime(): string {
  const { Deno, Bun } = globalThis as { Deno?: { version: { deno: string } }; Bun?: { version: string } };
  if (Deno !== undefined) return `Deno ${Deno.version.deno}`;
  if (Bun !== undefined) return `Bun ${Bun.version}`;
  if (typeof process === 'object') return `Node ${process.versions.node}`;
  return `Chromium ${/Chrome\/([\d.]+)/.exec(navigator.userAgent)?.[1] ?? navigator.userAgent}`;
}
