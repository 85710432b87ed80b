import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { daflVersion, describeMachine } from '@dafl/run';

/**
 * Writes what a benchmark measured to `results/<name>.json`, with what is needed to judge and repeat it.
 *
 * @param command What a person types to measure it again.
 */
export async function storeResult(name: string, command: string, measured: object): Promise<void> {
  const git = (...parameters: string[]): string => execFileSync('git', parameters, { encoding: 'utf8' }).trim();
  const result = {
    command,
    commit: git('rev-parse', 'HEAD'),
    hasUncommittedChanges: git('status', '--porcelain', '--', 'packages') !== '',
    measuredAt: new Date().toISOString(),
    machine: describeMachine(),
    versions: { dafl: daflVersion(), node: process.versions.node },
    ...measured,
  };
  const file = new URL(`results/${name}.json`, import.meta.url);
  await writeFile(file, `${JSON.stringify(result, null, 2)}\n`);
  process.stdout.write(`bench/results/${name}.json\n${JSON.stringify(measured, null, 2)}\n`);
}
