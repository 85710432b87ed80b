import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { spawn } from '@lydell/node-pty';
import { writeModel } from '@dafl/models';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tinyTeacher } from '../../../test-fixtures/tiny-teacher.ts';
import { runDafl } from './_run-dafl.ts';

const home = mkdtempSync(join(tmpdir(), 'dafl-interactive-'));
const main = fileURLToPath(new URL('./main.ts', import.meta.url));
beforeAll(() => writeFileSync(join(home, 'tiny.safetensors'), writeModel(tinyTeacher())));
afterAll(() => rmSync(home, { recursive: true }));

const [ENTER, DOWN, CTRL_C] = ['\r', '\u001B[B', '\u0003'];

/** Runs `dafl` on a terminal and types each answer once its question is there. */
async function converse(answers: readonly (readonly [question: string, ...keys: string[]])[]) {
  const { CI: _, ...environment } = process.env;
  const env = { ...environment, TERM: 'xterm-256color' } as Record<string, string>;
  const terminal = spawn(process.execPath, [main], { cwd: home, cols: 100, rows: 40, env });
  const left = [...answers];
  let [text, seen] = ['', 0];
  terminal.onData((data) => {
    text += stripVTControlCharacters(data);
    if (left.length === 0) return;
    const [question, ...keys] = left[0];
    const position = text.indexOf(question, seen);
    if (position === -1) return;
    left.shift();
    seen = position + question.length;
    for (const key of keys) terminal.write(key);
  });
  const { exitCode } = await new Promise<{ exitCode: number }>((resolve) => void terminal.onExit(resolve));
  return { code: exitCode, text, left };
}

const teacher = [
  ['Which classifier', DOWN, ENTER],
  ['Path of the model file', 'tiny.safetensors', ENTER],
] as const;

test('dafl by itself asks, tells what the run will take, and runs it', async () => {
  const { code, text, left } = await converse([
    ...teacher,
    ['What is the student to be?', DOWN, ENTER],
    ['Are there labelled images', ENTER],
    ['Start?', ENTER],
    // The default takes its time; this is about how it begins.
    ['tiny -> tiny-', CTRL_C],
  ]);
  expect(left).toEqual([]);
  expect(text).toMatch(/About [\d.:]+ (s|min): \d+ steps on /);
  expect(text).toContain('The same without questions: dafl distill tiny.safetensors --student quarter');
  expect(code).toBe(130);
  const record = JSON.parse(readFileSync(join(home, 'runs', 'tiny-quarter', 'run.json'), 'utf8')) as object;
  expect(record).toMatchObject({ state: 'interrupted', options: { student: 'quarter', teacher: 'tiny.safetensors' } });
  rmSync(join(home, 'runs'), { recursive: true });
});

test('a wrong path is told at once, and Ctrl-C leaves with 130 and writes nothing', async () => {
  const { code, text, left } = await converse([
    ['Which classifier', DOWN, ENTER],
    ['Path of the model file', 'none.onnx', ENTER],
    ["There is no 'none.onnx'", CTRL_C],
  ]);
  expect(left).toEqual([]);
  expect(text).toContain('Nothing was written');
  expect(code).toBe(130);
  expect(existsSync(join(home, 'runs'))).toBe(false);
});

test('No leaves with 0 and writes nothing', async () => {
  const { code } = await converse([
    ...teacher,
    ['What is the student to be?', ENTER],
    ['Are there labelled images', ENTER],
    ['Start?', 'n'],
  ]);
  expect(code).toBe(0);
  expect(readdirSync(home)).toEqual(['tiny.safetensors']);
});

test('off a terminal nothing is asked', async () => {
  expect(await runDafl([], { cwd: home })).toMatchObject({
    code: 2,
    stdout: expect.stringContaining('Usage: dafl <command>') as string,
    stderr: '',
  });
});
