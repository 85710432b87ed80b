import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandomStream, initializeWeights } from '@dafl/core';
import { createArchitecture, writeModel } from '@dafl/models';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tinyTeacher } from '../../../test-fixtures/tiny-teacher.ts';
import { serveModel } from '../../run/src/answers/_testing/serve-model.ts';
import { runDafl } from './_run-dafl.ts';

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'dafl-waiting-'));
  writeFileSync(join(home, 'student.safetensors'), writeModel(tinyTeacher()));
});
afterAll(() => rmSync(home, { recursive: true }));

/** 4 s; more where other work than these tests' shares the cores. */
const mostMs = (): number => 4_000 * Math.max(1, loadavg()[0] / availableParallelism());

/** Interrupts a command when it says what it waits for. */
async function interruptWaiting(line: string, wait: RegExp): Promise<{ code: number | null; isPrompt: boolean }> {
  let heard = '';
  let sentMs: number | undefined;
  const { code } = await runDafl(line.split(' '), {
    cwd: home,
    onOutput(text, kill) {
      heard += text;
      if (sentMs !== undefined || !wait.test(heard)) return;
      sentMs = performance.now();
      kill('SIGINT');
    },
  });
  expect(heard).toMatch(wait);
  return { code, isPrompt: performance.now() - sentMs! < mostMs() };
}

const small = '--student student.safetensors --range 0..1 --batch-size 8 --pictures 16 --backend cpu';

test.each(['estimate', 'distill'])(
  'dafl %s says that it waits for a teacher to answer, and can be interrupted',
  { timeout: 60_000 },
  async (command) => {
    const served = await serveModel(tinyTeacher(), { delayMs: 8_000 });
    try {
      const ended = await interruptWaiting(
        `${command} ${served.url} ${small}`,
        /^Waiting for http.*\/tiny to answer$/m,
      );
      expect(ended).toEqual({ code: 130, isPrompt: true });
    } finally {
      await served.close();
    }
  },
);

test('dafl estimate says how many steps it has measured', { timeout: 60_000 }, async () => {
  const served = await serveModel(tinyTeacher());
  try {
    const { code, stderr } = await runDafl(`estimate ${served.url} ${small}`.split(' '), { cwd: home });
    expect(stderr).toMatch(/Backend: .*\nwarning: .* only answers: .*\nMeasuring steps: 0 of 6\n/);
    expect(code).toBe(0);
  } finally {
    await served.close();
  }
});

test('dafl distill says that it factorizes, and can be interrupted', { timeout: 120_000 }, async () => {
  const teacher = initializeWeights(createArchitecture('resnet18'), createRandomStream(1, 'weights'));
  writeFileSync(join(home, 'resnet18.safetensors'), writeModel(teacher));
  const line = 'distill resnet18.safetensors --student low-rank --backend cpu --out run';
  const ended = await interruptWaiting(line, /^Factorizing the convolutions: \d+ %$/m);
  expect(ended).toEqual({ code: 130, isPrompt: true });
  expect(readdirSync(home)).not.toContain('run');
});
