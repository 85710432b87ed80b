import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runDafl } from './_run-dafl.ts';

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'dafl-demo-'));
});
afterAll(() => rmSync(home, { recursive: true }));

test.each([
  ['', 375],
  ['--method procedural', 375],
  ['--method dafl', 400],
  ['--steps 50', 50],
])('dafl demo %s is a run of %i steps', async (flags, steps) => {
  let heard = '';
  let isEnding = false;
  await runDafl(['demo', '--json', '--backend', 'wasm', ...flags.split(' ').filter((word) => word !== '')], {
    cwd: home,
    onOutput(text, kill) {
      heard += text;
      if (isEnding || !/"event":"start".*\n/.test(heard)) return;
      isEnding = true;
      kill('SIGINT');
    },
  });
  const start = heard.split('\n').find((line) => line.startsWith('{"event":"start"'))!;
  expect((JSON.parse(start) as { steps: number }).steps).toBe(steps);
});
