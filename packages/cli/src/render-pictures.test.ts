import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawn } from '@lydell/node-pty';
import { writeModel } from '@dafl/models';
import type { RunSamplesEvent } from '@dafl/run';
import { afterAll, describe, expect, test } from 'vitest';
import { tinyTeacher } from '../../../test-fixtures/tiny-teacher.ts';
import { renderPictures } from './render-pictures.ts';

const home = mkdtempSync(join(tmpdir(), 'dafl-pictures-'));
afterAll(() => rmSync(home, { recursive: true }));
const file = join(home, 'samples.png');
const bytes = Uint8Array.from({ length: 7000 }, (_, index) => index % 251);
writeFileSync(file, bytes);

/** Images of one channel: of class 1 white, of class 0 black; the second of class 1 is grey. */
function samplesOf(side: number): RunSamplesEvent {
  const images = new Float32Array(3 * side * side);
  images.fill(1, 0, side * side);
  images.fill(0.5, 2 * side * side);
  const labels = Uint32Array.of(1, 0, 1);
  const shape = { height: side, width: side, channels: 1, images, labels, confidences: new Float32Array(3) };
  return { event: 'samples', step: 1, ...shape, classes: 2, classCounts: [1, 2], perClass: 2, file };
}

describe('as characters', () => {
  const [white, black] = ['255;255;255', '0;0;0'];

  test('one picture of each class, two pixels a character', async () => {
    const { text, rows } = await renderPictures(samplesOf(4), { form: 'blocks', columns: 80 });
    expect(rows).toBe(2);
    const cell = (colour: string): string => `\u001B[38;2;${colour}m\u001B[48;2;${colour}m▀`;
    const line = `${cell(black).repeat(4)}\u001B[0m ${cell(white).repeat(4)}\u001B[0m`;
    expect(text).toBe(`${line}\n${line}`);
  });

  test('large pictures are brought to 16 pixels, and no more stand side by side than fit', async () => {
    const { text, rows } = await renderPictures(samplesOf(64), { form: 'blocks', columns: 30 });
    expect(rows).toBe(8);
    expect(text.match(/▀/g)).toHaveLength(8 * 16);
  });

  test('an odd last row ends on black', async () => {
    const { text } = await renderPictures(samplesOf(3), { form: 'blocks', columns: 80 });
    expect(text).toContain(`\u001B[38;2;${white}m\u001B[48;2;${black}m▀`);
  });
});

describe('as a file', () => {
  const encoded = Buffer.from(bytes).toString('base64');

  test("by Kitty's protocol, in parts of 4096 bytes", async () => {
    const { text, rows } = await renderPictures(samplesOf(4), { form: 'kitty', columns: 80 });
    const commands = text.split('\u001B\\').slice(0, -1);
    expect(commands[0]).toBe('\u001B_Ga=d,q=2');
    expect(commands[1]).toContain('\u001B_Ga=T,f=100,r=10,q=2,m=1;');
    expect(commands.at(-1)).toContain('\u001B_Gm=0;');
    const parts = commands.slice(1).map((command) => command.split(';')[1]);
    expect(parts.join('')).toBe(encoded);
    expect(Math.max(...parts.map(({ length }) => length))).toBe(4096);
    expect(rows).toBe(10);
  });

  test("by iTerm2's", async () => {
    const { text } = await renderPictures(samplesOf(4), { form: 'iterm2', columns: 80 });
    expect(text).toBe(`\u001B]1337;File=inline=1;height=10;preserveAspectRatio=1:${encoded}\u0007`);
  });
});

test.each([
  [[], true],
  [['--no-images'], false],
  [['--quiet'], false],
])('a run on a terminal with %j shows pictures: %s', async (flags, isShown) => {
  writeFileSync(join(home, 'tiny.safetensors'), writeModel(tinyTeacher()));
  const { CI: _, NO_COLOR: __, FORCE_COLOR: ___, TERM_PROGRAM: ____, ...environment } = process.env;
  const run = [
    'distill',
    'tiny.safetensors',
    '--backend',
    'cpu',
    '--method',
    'noise',
    '--steps',
    '2',
    '--batch-size',
    '8',
  ];
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  const env = { ...environment, TERM: 'xterm-256color' } as Record<string, string>;
  const terminal = spawn(process.execPath, [main, ...run, ...flags], { cwd: home, cols: 100, rows: 40, env });
  let text = '';
  terminal.onData((data) => (text += data));
  const { exitCode } = await new Promise<{ exitCode: number }>((resolve) => void terminal.onExit(resolve));
  expect(exitCode).toBe(0);
  expect(text.includes('▀')).toBe(isShown);
});
