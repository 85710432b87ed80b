/**
 * How the cost of a step grows with batch, image size and generator width: `npm run bench:growth`. What follows `--` goes
 * to `dafl bench`: `npm run bench:growth -- --python PATH`. Takes an hour or more; `--case fast` alone takes minutes.
 */
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runDafl } from './_run-dafl.ts';
import { storeResult } from './_store-result.ts';

const settings = [
  'bench',
  '--case',
  'all',
  '--batch',
  '256',
  '--sweep',
  'all',
  '--rounds',
  '9',
  '--steps-per-round',
  '1',
];
const folder = await mkdtemp(join(tmpdir(), 'dafl-growth-'));
try {
  const { exitCode, last } = await runDafl([
    ...settings,
    ...process.argv.slice(2),
    '--out',
    join(folder, 'growth.json'),
  ]);
  if (exitCode !== 0) throw new Error(`dafl ended with exit code ${exitCode}: ${JSON.stringify(last)}`);
  const { event: _event, command, commit: _commit, files: _files, ...measured } = last;
  await copyFile(join(folder, 'growth.svg'), new URL('results/growth.svg', import.meta.url));
  await storeResult('growth', 'npm run bench:growth', { daflCommand: command, ...measured });
} finally {
  await rm(folder, { recursive: true, force: true });
}
