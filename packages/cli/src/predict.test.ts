import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeModel } from '@dafl/models';
import { encode } from 'fast-png';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tinyTeacher } from '../../../test-fixtures/tiny-teacher.ts';
import { parseEvents, runDafl } from './_run-dafl.ts';

let home: string;
const picture = encode({
  width: 8,
  height: 8,
  channels: 1,
  depth: 8,
  data: Uint8Array.from({ length: 64 }, (_, pixel) => (pixel * 37) % 256),
});
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'dafl-predict-'));
  const model = tinyTeacher();
  const named = { ...model, graph: { ...model.graph, classNames: ['ape', 'bee', 'cow'] } };
  writeFileSync(join(home, 'teacher.safetensors'), writeModel(named));
  mkdirSync(join(home, 'photos'));
  mkdirSync(join(home, 'empty'));
  for (const name of ['b.png', 'a.png']) writeFileSync(join(home, 'photos', name), picture);
  writeFileSync(join(home, 'photos', 'notes.txt'), 'no picture');
});
afterAll(() => rmSync(home, { recursive: true }));
const run = async (...parameters: string[]) =>
  await runDafl(['predict', 'teacher.safetensors', ...parameters], { cwd: home });

test('tells the classes of files and of folders, by name and probability', async () => {
  const { code, stdout, stderr } = await run('photos', join('photos', 'b.png'), '--json', '--top', '3');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const events = parseEvents(stdout);
  const images = ['a.png', 'b.png', 'b.png'].map((name) => join('photos', name));
  expect(events.slice(0, -1).map(({ image }) => image)).toEqual(images);
  expect(events.at(-1)).toMatchObject({ event: 'result', count: 3 });
  const [{ name, label, probability, classes }] = events;
  const probable = classes as { name: string; label: number; probability: number }[];
  expect(probable[0]).toEqual({ name, label, probability });
  expect(probable.map((entry) => entry.name).sort()).toEqual(['ape', 'bee', 'cow']);
  expect(probable.reduce((sum, entry) => sum + entry.probability, 0)).toBeCloseTo(1, 5);
});

test('shows a table, and reads a picture from stdin', async () => {
  const table = await run(join('photos', 'a.png'), '--top', '1');
  expect(table.stdout).toMatch(/^photos.a\.png +(ape|bee|cow) +\d+\.\d\d %\n$/);
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  const parameters = [main, 'predict', 'teacher.safetensors', '-', '--top', '1'];
  const { stdout } = spawnSync(process.execPath, parameters, { cwd: home, input: picture, encoding: 'utf8' });
  expect(stdout.replace(/ +/g, ' ')).toBe(table.stdout.replace(/^\S+/, '-').replace(/ +/g, ' '));
});

test.each([
  [['missing.png'], 3, "Cannot read 'missing.png' as it must be a PNG or JPEG file: no such file"],
  [['empty'], 3, "Cannot read 'empty' as a folder must hold PNG or JPEG files: found none"],
  [[join('photos', 'notes.txt')], 3, 'as it must be a PNG or JPEG file: current value is another format'],
  [['photos', '--top', '0'], 2, "'--top' must be an integer >= 1 and <= 1000: current value is 0"],
])('%j is refused', async (parameters, code, message) => {
  const outcome = await run(...parameters);
  expect(outcome).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(message) as string });
});

test('tells of the others where some cannot be read, which it names', async () => {
  const [good, other, bad] = ['a.png', 'b.png', 'notes.txt'].map((name) => join('photos', name));
  const parameters = [good, bad, 'empty', other, 'missing.png', '--top', '1'];
  const table = await run(...parameters);
  expect(table.code).toBe(3);
  expect(table.stdout.split('\n').map((line) => line.split(' ')[0])).toEqual([good, other, '']);
  expect(table.stderr.trimEnd().split('\n')).toEqual([
    "error: Cannot read 'empty' as a folder must hold PNG or JPEG files: found none",
    `error: Cannot read '${bad}' as it must be a PNG or JPEG file: current value is another format`,
    "error: Cannot read 'missing.png' as it must be a PNG or JPEG file: no such file",
  ]);
  const lines = parseEvents((await run(...parameters, '--json')).stdout);
  expect(lines.map(({ event }) => event)).toEqual(['prediction', 'prediction', 'error', 'error', 'error']);
});
