/**
 * Time of a step on every backend and on PyTorch: `npm run bench:step`. What follows `--` goes to `dafl bench`:
 * `npm run bench:step -- --python PATH`.
 */
import { runDafl } from './_run-dafl.ts';
import { storeResult } from './_store-result.ts';

const settings = ['bench', '--case', 'all', '--batch', '256', '--rounds', '8', '--steps-per-round', '1'];
const { exitCode, last } = await runDafl([...settings, ...process.argv.slice(2)]);
if (exitCode !== 0) throw new Error(`dafl ended with exit code ${exitCode}: ${JSON.stringify(last)}`);
const { event: _event, command, commit: _commit, files: _files, sweeps: _sweeps, ...measured } = last;
await storeResult('step', 'npm run bench:step', { daflCommand: command, ...measured });
