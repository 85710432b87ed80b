import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { writeModel } from '@dafl/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tinyData, tinyTeacher } from '../../../test-fixtures/tiny-teacher.ts';
import { parseEvents, runDafl } from './_run-dafl.ts';

let home: string;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'dafl-interruption-'));
  writeFileSync(join(home, 'tiny.safetensors'), writeModel(tinyTeacher()));
  mkdirSync(join(home, 'data'));
  for (const [name, bytes] of tinyData()) writeFileSync(join(home, 'data', name), bytes);
  // A tool that never answers, as a download from a slow place.
  mkdirSync(join(home, 'tools'));
  writeFileSync(join(home, 'tools', 'python3'), '#!/bin/sh\nexec sleep 1000\n', { mode: 0o755 });
  // A generator that takes seconds to draw.
  const made = await runDafl([...distill, ...wide, '--steps', '1', '--out', 'drawn'], { cwd: home });
  expect(made.code).toBe(0);
});
afterAll(() => rmSync(home, { recursive: true }));

const cpu = ['--backend', 'cpu'];
const distill = ['distill', '--teacher', 'tiny.safetensors', '--method', 'dafl', ...cpu];
const small = ['--batch-size', '8', '--latent-size', '4', '--generator-widths', '4,4,2', '--student-steps', '2'];
const wide = ['--batch-size', '64', '--generator-widths', '96,96,96', '--replay-batches', '1', '--student-steps', '1'];
const endless = ['--steps', '1000000', '--replay-batches', '4'];

/** What each command does for longer than a test may take, and the output that tells that it is at it. */
const commands: Readonly<Record<string, { readonly parameters: readonly string[]; readonly isBusy: RegExp }>> = {
  distill: { parameters: [...distill, ...small, ...endless, '--json'], isBusy: /"event":"step","step":3,/ },
  'distill --time-budget': {
    parameters: [...distill, ...small, '--time-budget', '10m', '--json'],
    isBusy: /Measuring how many|"event":"step"/,
  },
  evaluate: {
    parameters: ['evaluate', '--model', 'lenet5-mnist', '--data', 'mnist', ...cpu],
    isBusy: /Backend: /,
  },
  estimate: {
    parameters: ['estimate', '--teacher', 'tiny.safetensors', '--method', 'dafl', ...small, ...endless, ...cpu],
    isBusy: /Backend: /,
  },
  record: {
    parameters: ['record', '--teacher', 'lenet5-mnist', '--data', 'mnist', '--out', 'metadata.safetensors', ...cpu],
    isBusy: /Backend: /,
  },
  train: {
    parameters: [
      'train',
      '--architecture',
      'lenet5',
      '--data',
      'mnist',
      '--out',
      'trained.safetensors',
      '--json',
      ...cpu,
    ],
    isBusy: /"event":"step","step":2,/,
  },
  bench: {
    parameters: ['bench', '--backends', 'cpu', '--python', 'none', '--batch', '2', '--rounds', '100000', '--json'],
    isBusy: /"event":"round"/,
  },
  experiment: {
    parameters: ['experiment', 'table1', '--only', 'lenet5-teacher', '--json', ...cpu],
    isBusy: /"event":"started"/,
  },
  samples: { parameters: ['samples', 'drawn', '--out', 'drawn.png'], isBusy: /Backend: / },
  demo: {
    parameters: ['demo', '--backend', 'wasm', '--threads', '1', '--steps', '100000', '--json'],
    isBusy: /"event":"step","step":2,/,
  },
  'doctor --setup-tensorflow': { parameters: ['doctor', '--setup-tensorflow'], isBusy: /Downloading tensorflow/ },
};

/** Commands that write lines of JSON while they work, and so meet a closed pipe. */
const writing = ['distill', 'distill --time-budget', 'train', 'bench', 'demo'];

/** 2 s; more where other work than these tests' shares the cores. */
const mostMs = (): number => 4_000 * Math.max(1, loadavg()[0] / availableParallelism());

async function interrupt(name: string, cause: NodeJS.Signals | 'EPIPE') {
  const { parameters, isBusy } = commands[name];
  const folder = mkdtempSync(join(home, `${name.split(' ')[0]}-`));
  let heard = '';
  let sentMs: number | undefined;
  const run = parameters[0] === 'samples' ? home : folder;
  cpSync(join(home, 'tiny.safetensors'), join(folder, 'tiny.safetensors'));
  const { code, stdout } = await runDafl(parameters, {
    cwd: run,
    environment: {
      PATH: `${join(home, 'tools')}${delimiter}${process.env.PATH}`,
      DAFL_TENSORFLOW_DIR: name.startsWith('doctor') ? join(folder, 'tensorflow') : process.env.DAFL_TENSORFLOW_DIR,
    },
    onOutput: (text, kill, close) => {
      heard += text;
      if (sentMs !== undefined || !isBusy.test(heard)) return;
      sentMs = performance.now();
      if (cause === 'EPIPE') close();
      else kill(cause);
    },
  });
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return { code, stdout, milliseconds: performance.now() - sentMs!, files, folder };
}

describe.each(Object.keys(commands))('dafl %s', (name) => {
  const causes = [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ...(writing.includes(name) ? [['EPIPE', 141] as const] : []),
  ] as const;
  test.each(causes)('ends at once, in order, at %s', { timeout: 60_000 }, async (cause, exitCode) => {
    const { code, milliseconds, files, folder } = await interrupt(name, cause);
    expect(code).toBe(exitCode);
    // A closed pipe shows at the next write.
    expect(milliseconds).toBeLessThan(cause === 'EPIPE' ? 30_000 : mostMs());
    expect(files.filter((file) => /\.tmp$|run\.lock/.test(file))).toEqual([]);
    for (const file of files.filter((path) => path.endsWith('run.json'))) {
      expect(JSON.parse(readFileSync(join(folder, file), 'utf8'))).toMatchObject({ state: 'interrupted' });
    }
  });
});

test.each([
  ['evaluate', ['evaluate', '--model', 'tiny.safetensors', '--data', 'data', ...cpu]],
  ['samples', ['samples', 'drawn', '--out', 'unread.png', '--per-class', '1']],
])('dafl %s whose result nobody reads says so by its exit code', { timeout: 60_000 }, async (_, parameters) => {
  const { code } = await runDafl(parameters, {
    cwd: home,
    onOutput: (text, _kill, close) => {
      if (text.includes('Backend: ')) close();
    },
  });
  expect(code).toBe(141);
});

test('what a closed pipe interrupted goes on to the same student', async () => {
  const options = [...distill, ...small, '--replay-batches', '4', '--steps', '60', '--json'];
  let isClosed = false;
  const cut = await runDafl([...options, '--out', 'cut'], {
    cwd: home,
    onOutput: (text, _kill, close) => {
      if (isClosed || !text.includes('"step":5,')) return;
      isClosed = true;
      close();
    },
  });
  expect(cut.code).toBe(141);
  const resumed = parseEvents((await runDafl(['distill', '--resume', 'cut', '--json'], { cwd: home })).stdout);
  expect(resumed.find(({ event }) => event === 'start')?.resumedAt).toBeGreaterThan(0);
  const whole = parseEvents((await runDafl([...options, '--out', 'whole'], { cwd: home })).stdout);
  expect(resumed.at(-1)?.studentSha256).toBe(whole.at(-1)?.studentSha256);
});
