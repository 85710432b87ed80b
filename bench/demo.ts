/**
 * Wall time, accuracy and peak memory of `npm run demo`: `npm run bench:demo`. What follows `--` goes to `dafl demo`:
 * `npm run bench:demo -- --backend node`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runDafl } from './_run-dafl.ts';
import { storeResult } from './_store-result.ts';

const folder = await mkdtemp(join(tmpdir(), 'dafl-demo-'));
const startedMs = performance.now();
const given = process.argv.slice(2);
/** What the paper's student reaches. */
const PUBLISHED_ACCURACY = 0.982;
const evaluations: { network: unknown; step: unknown; accuracy: number; secondsSinceStart: number }[] = [];
const { exitCode, last } = await runDafl(['demo', '--out', join(folder, 'demo'), ...given], (event) => {
  if (event.event !== 'evaluation') return;
  const { network, step, accuracy } = event;
  const secondsSinceStart = (performance.now() - startedMs) / 1000;
  evaluations.push({ network, step, accuracy: Number(accuracy), secondsSinceStart });
});
const wallSeconds = (performance.now() - startedMs) / 1000;
await rm(folder, { recursive: true });
if (exitCode !== 0) throw new Error(`dafl ended with exit code ${exitCode}: ${JSON.stringify(last)}`);
const { accuracy, teacherAccuracy, agreement, seconds, steps, seed, backend, peakMemoryBytes } = last;
const published = evaluations.find((entry) => entry.network === 'student' && entry.accuracy >= PUBLISHED_ACCURACY);
const variant = given.join(' ').replaceAll(/[^a-z0-9]+/gi, '-');
await storeResult(`demo${variant}`, ['npm run demo', ...(given.length > 0 ? ['--', ...given] : [])].join(' '), {
  accuracy,
  teacherAccuracy,
  agreement,
  wallSeconds,
  /** From the command's start, teacher's and student's evaluations included. */
  secondsToPublishedAccuracy: published?.secondsSinceStart ?? null,
  distillationSeconds: seconds,
  steps,
  seed,
  backend,
  peakMemoryBytes,
  evaluations,
});
