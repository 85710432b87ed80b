import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { isPlain, parseEvents, runDafl } from './_run-dafl.ts';
import type { CaseResult } from './benchmark/measure-case.ts';

const home = mkdtempSync(join(tmpdir(), 'dafl-bench-test-'));
afterAll(() => rmSync(home, { recursive: true }));

const tiny = ['bench', '--case', 'fast', '--batch', '2', '--rounds', '1', '--steps-per-round', '1'];
const python = process.env.DAFL_TEST_PYTHON ?? 'python3';
const hasTorch = spawnSync(python, ['-c', 'import torch']).status === 0;

describe('wrong flags', () => {
  test.each([
    [['--rounds', '0'], "'--rounds' must be an integer >= 1: current value is 0"],
    [['--steps-per-round', '1.5'], "'--steps-per-round' must be an integer >= 1: current value is 1.5"],
    [['--batch', 'many'], "'--batch' must be an integer >= 2: current value is 'many'"],
    [['--case', 'slow'], "'--case' must be 'official', 'fast' or 'all': current value is 'slow'"],
    [['--sweep', 'depth'], "'--sweep' must be 'batch', 'image', 'width' or 'all': current value is 'depth'"],
    [['--out', 'none/step.json'], "the folder of 'none/step.json' must be writable: current error is ENOENT"],
  ])('%o', async (flags, message) => {
    const outcome = await runDafl(['bench', ...flags], { cwd: home });
    expect(outcome).toEqual({ code: 2, stdout: '', stderr: `error: Cannot run 'dafl bench' as ${message}\n` });
  });

  test('an unknown backend', async () => {
    const { code, stderr } = await runDafl(['bench', '--backends', 'wasm,tpu'], { cwd: home });
    expect(code).toBe(2);
    expect(stderr).toBe(
      "error: Cannot run 'dafl bench' as '--backends' must be a list of 'node', 'webgpu', 'wasm' or 'cpu': current value is 'wasm,tpu'\n",
    );
  });

  test('an interpreter that is none', async () => {
    const { code, stderr } = await runDafl([...tiny, '--backends', 'cpu', '--python', join(home, 'python')]);
    expect(code).toBe(2);
    expect(stderr).toContain("error: Cannot run 'dafl bench' as 'pytorch' must be able to run here: no such program\n");
  });
});

test('a round on wasm and cpu: events, result and file', async () => {
  const flags = ['--backends', 'wasm,cpu', '--python', 'none', '--out', 'step.json', '--json'];
  const { code, stdout } = await runDafl([...tiny, ...flags], { cwd: home });
  expect(code).toBe(0);
  const events = parseEvents(stdout);
  const result = events.at(-1) as { event: string; cases: CaseResult[]; files: string[] };
  expect(result.event).toBe('result');
  expect(events.filter(({ event }) => event === 'round')).toHaveLength(3);
  const [{ contestants, lossDifferences, busyShares, count }] = result.cases;
  const threads = Math.min(availableParallelism(), 8);
  const expected = ['wasm-1-thread', ...(threads > 1 ? [`wasm-${threads}-threads`] : []), 'cpu'];
  expect(contestants.map(({ name }) => name)).toEqual(expected);
  for (const { samples, warmUpSamples, millisecondsPerStep, gigaflopsPerSecond, peakMemoryBytes } of contestants) {
    expect([samples.length, warmUpSamples.length]).toEqual([1, 2]);
    expect(gigaflopsPerSecond).toBeCloseTo(count.operations / millisecondsPerStep.median / 1e6, 9);
    expect(peakMemoryBytes).toBeGreaterThan(1e7);
  }
  expect(lossDifferences[0]).toBeLessThan(1e-4);
  expect(lossDifferences[1]).toBeLessThan(1e-3);
  expect(busyShares).toHaveLength(1);
  expect(result.files).toEqual(['step.json']);
  const stored = JSON.parse(readFileSync(join(home, 'step.json'), 'utf8')) as Record<string, unknown>;
  const { event: _, files: _files, ...measured } = events.at(-1)!;
  expect(stored).toEqual(measured);
  expect(stored).toMatchObject({
    rounds: 1,
    warmUpRounds: 2,
    command: expect.stringMatching(/^dafl bench --case fast/),
  });
});

test('without --json a table', async () => {
  const { code, stdout } = await runDafl([...tiny, '--backends', 'cpu', '--python', 'none'], { cwd: home });
  expect(code).toBe(0);
  expect(isPlain(stdout)).toBe(true);
  expect(stdout).toMatch(/^Step of the fast preset: batch 2, images 32x32, generator 16-16-8, 0\.05 GFLOP\n/);
  expect(stdout).toMatch(/\n {2}cpu +\S+ +\S+ - \S+ +\S+ - \S+ +\S+ +\S+ +\d+ % +\d+ MB\n/);
});

// Needs torch: DAFL_TEST_PYTHON names an interpreter that has it.
test.runIf(hasTorch).each(['official', 'fast'])(
  'PyTorch computes the same losses as dafl: %s',
  async (name) => {
    const flags = ['--case', name, '--batch', '8', '--backends', 'wasm', '--python', python, '--json'];
    const { code, stdout } = await runDafl([...tiny, ...flags], { cwd: home });
    expect(code).toBe(0);
    const { cases } = parseEvents(stdout).at(-1) as { cases: CaseResult[] };
    const [{ contestants, lossDifferences, comparisons }] = cases;
    expect(contestants.map((contestant) => contestant.name)).toEqual(
      expect.arrayContaining(['wasm-1-thread', 'pytorch', 'pytorch-channels-last', 'pytorch-kept-memory']),
    );
    expect(comparisons[0]).toMatchObject({ contestant: 'wasm-1-thread', baseline: 'pytorch' });
    expect(lossDifferences[0]).toBeLessThan(1e-4);
    // The first update of the official step is large: rounding turns some of its signs round.
    expect(lossDifferences[1]).toBeLessThan(5e-2);
  },
  120_000,
);

test.runIf(process.platform === 'linux')('Ctrl-C ends the contestants', async () => {
  const mark = `DAFL_BENCH_TEST=${process.pid}-${performance.now()}`;
  const [name, value] = mark.split('=');
  const marked = (): number =>
    readdirSync('/proc').filter((entry) => {
      if (!/^\d+$/.test(entry)) return false;
      try {
        return readFileSync(join('/proc', entry, 'environ'), 'utf8').includes(mark);
      } catch (error) {
        // It ended meanwhile, or is another user's.
        if (error instanceof Error && 'code' in error) return false;
        throw error;
      }
    }).length;
  let most = 0;
  const flags = ['--backends', 'cpu', '--python', 'none', '--rounds', '1000', '--json'];
  const { code, stdout } = await runDafl([...tiny, ...flags], {
    cwd: home,
    environment: { [name]: value },
    onOutput: (text, kill) => {
      if (!text.includes('"round":2,')) return;
      most = marked();
      kill('SIGINT');
    },
  });
  expect(code).toBe(130);
  expect(parseEvents(stdout).at(-1)).toEqual({ event: 'error', code: 'INTERRUPTED', message: 'Interrupted' });
  expect(most).toBe(2);
  expect(marked()).toBe(0);
});
