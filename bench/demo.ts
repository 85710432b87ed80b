/** Wall time, accuracy and peak memory of `npm run demo`: `npm run bench:demo`. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runDafl } from './_run-dafl.ts';
import { storeResult } from './_store-result.ts';

const folder = await mkdtemp(join(tmpdir(), 'dafl-demo-'));
const startedMs = performance.now();
const evaluations: unknown[] = [];
const { exitCode, last } = await runDafl(['demo', '--out', join(folder, 'demo')], (event) => {
  if (event.event !== 'evaluation') return;
  const { network, step, accuracy } = event;
  evaluations.push({ network, step, accuracy, secondsSinceStart: (performance.now() - startedMs) / 1000 });
});
const wallSeconds = (performance.now() - startedMs) / 1000;
await rm(folder, { recursive: true });
if (exitCode !== 0) throw new Error(`dafl ended with exit code ${exitCode}: ${JSON.stringify(last)}`);
const { accuracy, teacherAccuracy, agreement, seconds, steps, seed, backend, peakMemoryBytes } = last;
await storeResult('demo', 'npm run demo', {
  accuracy,
  teacherAccuracy,
  agreement,
  wallSeconds,
  distillationSeconds: seconds,
  steps,
  seed,
  backend,
  peakMemoryBytes,
  evaluations,
});
