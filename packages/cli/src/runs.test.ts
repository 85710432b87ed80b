import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acquireRunLock } from '@dafl/run';
import { writeModel } from '@dafl/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tinyData, tinyTeacher } from '../../../test-fixtures/tiny-teacher.ts';
import { parseEvents, runDafl } from './_run-dafl.ts';

const home = mkdtempSync(join(tmpdir(), 'dafl-runs-'));
const run = async (line: string) => await runDafl(line.split(' '), { cwd: home });
const tiny = 'tiny.safetensors --backend cpu --method dafl --batch-size 8 --generator-widths 4,4,2 --steps 2';
const change = (folder: string, fields: object): void => {
  const file = join(home, folder, 'run.json');
  writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), ...fields }));
};

beforeAll(async () => {
  writeFileSync(join(home, 'tiny.safetensors'), writeModel(tinyTeacher()));
  mkdirSync(join(home, 'data'));
  for (const [name, content] of tinyData()) writeFileSync(join(home, 'data', name), content);
  await run(`distill ${tiny} --eval data --out first`);
  await run(`distill ${tiny} --seed 7 --temperature 2 --out deep/er/second`);
  for (const copy of ['killed', 'busy', 'failed', 'broken'])
    cpSync(join(home, 'first'), join(home, copy), { recursive: true });
  for (const copy of ['killed', 'busy']) change(copy, { state: 'running' });
  change('failed', { state: 'failed', error: { code: 'NON_FINITE', message: 'The loss is NaN' } });
  change('broken', { format: 'another' });
});
afterAll(() => rmSync(home, { recursive: true }));

describe('dafl runs', () => {
  test('lists the runs beneath a folder: state, accuracy, verdict, time and the options that differ', async () => {
    const lock = await acquireRunLock(join(home, 'busy'));
    const { code, stdout, stderr } = await run('runs');
    await lock.release();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [head, ...lines] = stdout.trimEnd().split('\n');
    expect(head).toMatch(/^run +state +accuracy +verdict +steps +time +what differs$/);
    const rows = new Map(lines.map((line) => [line.split(' ')[0], line]));
    expect(rows.get('first')).toMatch(/ finished +[\d.]+ % +(good|doubtful|poor) +2 +[\d.]+ s +.*--seed 0 /);
    expect(rows.get('deep/er/second')).toMatch(/ finished +- .*--seed 7 .*--temperature 2/);
    // Its process is gone.
    expect(rows.get('killed')).toMatch(/ interrupted /);
    expect(rows.get('busy')).toMatch(/ running /);
    expect(rows.get('failed')).toMatch(/ failed /);
    expect(rows.get('broken')).toMatch(/ unreadable .*it must be the record of a run, version 1/);
    expect(rows.size).toBe(6);
  });

  test('--json gives the same, and why a run failed', async () => {
    const [{ runs }] = parseEvents((await run('runs --json')).stdout) as [{ runs: Record<string, unknown>[] }];
    expect(runs.find(({ folder }) => folder === 'failed')).toMatchObject({ state: 'failed', error: 'The loss is NaN' });
    expect(runs.find(({ folder }) => folder === 'deep/er/second')).toMatchObject({
      accuracy: null,
      step: 2,
      differing: { seed: 7, temperature: 2, eval: null },
    });
  });

  test('an empty folder and none', async () => {
    expect(await run('runs data')).toEqual({
      code: 0,
      stdout: '',
      stderr: "No runs in 'data'. dafl demo makes one, dafl distill <teacher> others\n",
    });
    expect(parseEvents((await run('runs data --json')).stdout)).toEqual([
      { event: 'result', folder: 'data', runs: [] },
    ]);
    expect(await run('runs none')).toMatchObject({
      code: 3,
      stderr: "error: Cannot list the runs in 'none' as it must be a folder: no such folder\n",
    });
  });
});

describe('dafl runs compare', () => {
  test('shows the options that differ and what came out of both', async () => {
    const { code, stdout } = await run('runs compare first deep/er/second');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ +first +deep\/er\/second\n/);
    expect(stdout).toMatch(/\n--seed +0 +7\n/);
    expect(stdout).toMatch(/\n--eval +data +-\n/);
    expect(stdout).toMatch(/\naccuracy +[\d.]+ % +-\n/);
    expect(stdout).not.toContain('--batch-size');
    const [{ options, results }] = parseEvents((await run('--json runs compare first first')).stdout);
    expect(options).toEqual([]);
    expect(results).toContainEqual({ name: 'state', values: ['finished', 'finished'] });
  });

  test('names what is no run', async () => {
    expect(await run('runs compare first data')).toMatchObject({
      code: 2,
      stderr:
        "error: Cannot compare 'data' as it must hold a run: run.json is missing. 'dafl runs' lists those that are here\n",
    });
    mkdirSync(join(home, 'several'));
    const record = { format: 'dafl-seeds', version: 1, seeds: 2, options: { seed: 3 } };
    writeFileSync(join(home, 'several', 'seeds.json'), JSON.stringify(record));
    expect((await run('runs compare first several')).stderr).toBe(
      `error: Cannot compare 'several' as it must hold one run: it holds those of several seeds. Name one, such as ${join('several', 'seed-3')}\n`,
    );
    expect((await run('runs compare first')).stderr).toBe(
      "error: Cannot run 'dafl runs compare' as '<second>' must be given: current value is none. Type dafl runs compare <first> <second>\n",
    );
  });
});
