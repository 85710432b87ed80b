/**
 * Accuracy of the fast preset over seeds, on the official MNIST test images: `npm run bench:accuracy`. What follows `--`
 * goes to `dafl distill`, and into the name of the stored result: `npm run bench:accuracy -- --initialization random`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runDafl } from './_run-dafl.ts';
import { storeResult } from './_store-result.ts';

const changes = process.argv.slice(2);
const seedFlags = changes.includes('--seeds') ? [] : ['--seeds', '5'];
const options = [
  'distill',
  '--teacher',
  'lenet5-mnist',
  '--student',
  'half',
  '--eval',
  'mnist',
  ...seedFlags,
  ...changes,
];
const name = ['accuracy', ...changes.map((word) => word.replace(/^--/, ''))].join('-');
const folder = await mkdtemp(join(tmpdir(), 'dafl-accuracy-'));
const { exitCode, last } = await runDafl([...options, '--out', join(folder, 'runs')]);
await rm(folder, { recursive: true });
if (exitCode !== 0) throw new Error(`dafl ended with exit code ${exitCode}: ${JSON.stringify(last)}`);
const { seeds, ...sums } = last as { seeds: readonly object[] };
await storeResult(name, `dafl ${options.join(' ')} --json`, {
  ...sums,
  // The folders are gone, and their paths are this machine's.
  seeds: seeds.map((seed) => ({ ...seed, folder: undefined })),
});
