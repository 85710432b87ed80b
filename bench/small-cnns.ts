/**
 * Distils the networks of `bench/make-small-cnns.py` as their owners would: `npm run bench:small-cnns -- FOLDER [NAME...]`. Each
 * once by gradients and once by answers alone (`--mode gradients` or `answers`: only so), with the mean and deviation of its
 * data and no other flag. One record a run.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runDafl } from './_run-dafl.ts';
import { storeResult } from './_store-result.ts';

/** What the script in Python says of a network. */
interface SmallNetwork {
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly test: string;
  readonly teacherAccuracy: number;
  readonly realStudentAccuracy: number;
  readonly epochs: number;
  readonly operators: Readonly<Record<string, number>>;
  readonly torch: string;
}

const modes: Readonly<Record<string, readonly string[]>> = { gradients: [], answers: ['--answers-only'] };
const { values, positionals } = parseArgs({ options: { mode: { type: 'string' } }, allowPositionals: true });
const [folder = '', ...named] = positionals;
const all = readdirSync(folder).flatMap((file) => (file.endsWith('.onnx') ? [file.slice(0, -'.onnx'.length)] : []));
mkdirSync(new URL('results/small-cnns/', import.meta.url), { recursive: true });
for (const name of named.length > 0 ? named : all.sort()) {
  const network = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as SmallNetwork;
  for (const [mode, flags] of Object.entries(modes))
    if (mode === (values.mode ?? mode)) await measure(name, network, mode, flags);
}

async function measure(name: string, network: SmallNetwork, mode: string, flags: readonly string[]): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'dafl-small-'));
  try {
    const [teacher, test] = [join(folder, `${name}.onnx`), join(folder, network.test)];
    const shared = ['--mean', network.mean.join(), '--std', network.std.join(), ...flags];
    const parameters = ['distill', '--teacher', teacher, '--student', 'half', ...shared, '--eval', test];
    const warnings: unknown[] = [];
    const { exitCode, last } = await runDafl([...parameters, '--out', join(home, 'run')], (event) => {
      if (event['event'] === 'warning') warnings.push(event['message']);
    });
    const run = exitCode === 0 ? (JSON.parse(readFileSync(join(home, 'run', 'run.json'), 'utf8')) as object) : {};
    const kept = [
      'options',
      'methodReason',
      'backend',
      'timings',
      'accuracy',
      'teacherAccuracy',
      'agreement',
      'verdict',
    ];
    const command = `dafl ${parameters.join(' ').replaceAll(folder, 'FOLDER')}`;
    await storeResult(`small-cnns/${name}-${mode}`, command, {
      network: { name, ...network },
      mode,
      exitCode,
      result: exitCode === 0 ? undefined : last,
      warnings: withoutPaths(warnings),
      run: withoutPaths(Object.fromEntries(Object.entries(run).filter(([key]) => kept.includes(key)))),
    });
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

/** What is stored tells nothing of where things lay here. */
function withoutPaths<Told>(told: Told): Told {
  return JSON.parse(JSON.stringify(told).replaceAll(folder, 'FOLDER')) as Told;
}
