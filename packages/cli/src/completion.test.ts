import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawn } from '@lydell/node-pty';
import { afterAll, describe, expect, test } from 'vitest';
import { runDafl } from './_run-dafl.ts';
import { completeWords } from './complete-words.ts';

const home = mkdtempSync(join(tmpdir(), 'dafl-completion-'));
afterAll(() => rmSync(home, { recursive: true }));
const main = fileURLToPath(new URL('./main.ts', import.meta.url));

async function complete(line: string): Promise<{ values: string[]; directive: string }> {
  const lines = (await completeWords(line.split(' '))).trimEnd().split('\n');
  return { values: lines.slice(0, -1).map((text) => text.split('\t')[0]), directive: lines.at(-1)! };
}

// :0 lets the shell add files, :16 folders, :4 nothing.
test.each([
  ['dis', ['distill'], ':4'],
  ['--js', ['--json'], ':4'],
  ['--json ins', ['inspect'], ':4'],
  ['distill l', ['lenet5-mnist'], ':0'],
  ['distill --range ', ['0..1', '-1..1', '0..255'], ':4'],
  ['distill lenet5-mnist --metadata', ['--metadata', '--metadata-variant'], ':4'],
  ['distill --student h', ['half'], ':0'],
  ['distill --eval ', ['mnist'], ':16'],
  ['distill --out ', [], ':16'],
  ['distill --seed ', [], ':4'],
  ['evaluate --threads 2 ', ['lenet5-mnist'], ':0'],
  ['evaluate a.onnx --split ', ['test', 'train'], ':4'],
  ['inspect lenet5-mnist ', [], ':0'],
  ['runs ', ['compare'], ':0'],
  ['runs compare ', [], ':0'],
  ['completion ', ['bash', 'zsh', 'fish'], ':4'],
  ['bench --backends ', ['node', 'webgpu', 'wasm', 'cpu'], ':4'],
  ['nonsense ', [], ':0'],
])('dafl %s<Tab>', async (line, values, directive) => {
  expect(await complete(line)).toEqual({ values, directive });
});

test('dafl completion refuses what is no shell', async () => {
  const { code, stderr } = await runDafl(['completion', 'bsh']);
  expect(code).toBe(2);
  expect(stderr).toContain(
    "as '<shell>' must be 'bash', 'zsh' or 'fish': current value is 'bsh'. Did you mean 'bash'?",
  );
});

const has = (shell: string): boolean => spawnSync(shell, ['-c', ':']).status === 0;

describe.each(['bash', 'zsh', 'fish'])('dafl completion %s', (shell) => {
  test.runIf(has(shell))('is a script that the shell takes', async () => {
    const { code, stdout } = await runDafl(['completion', shell]);
    expect(code).toBe(0);
    const file = join(home, `dafl.${shell}`);
    writeFileSync(file, stdout);
    expect(spawnSync(shell, ['-n', file])).toMatchObject({ status: 0 });
  });
});

test.runIf(has('bash'))('bash completes by it when Tab is pressed', async () => {
  const file = join(home, 'complete.bash');
  writeFileSync(file, (await runDafl(['completion', 'bash'])).stdout);
  const setup = join(home, 'setup.bash');
  writeFileSync(setup, `dafl() { '${process.execPath}' '${main}' "$@"; }\nsource '${file}'\nPS1='ready> '\n`);
  const shell = spawn('bash', ['--noprofile', '--rcfile', setup, '-i'], { cwd: home, cols: 120, rows: 40 });
  let text = '';
  const typed = ['dafl evaluate len\t', '--spl\t', 'tr\t'];
  const shown = new Promise<void>((resolve) => {
    shell.onData((data) => {
      text += data;
      const expected = ['ready> ', 'evaluate lenet5-mnist ', '--split ', 'train '];
      if (!text.includes(expected[3 - typed.length])) return;
      const next = typed.shift();
      if (next === undefined) resolve();
      else shell.write(next);
    });
  });
  await shown;
  shell.kill('SIGKILL');
  expect(text).toContain('dafl evaluate lenet5-mnist --split train ');
});
