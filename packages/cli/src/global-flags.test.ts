import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeModel } from '@dafl/models';
import { afterAll, describe, expect, test } from 'vitest';
import { tinyTeacher } from '../../../test-fixtures/tiny-teacher.ts';
import { parseEvents, runDafl } from './_run-dafl.ts';

const home = mkdtempSync(join(tmpdir(), 'dafl-global-flags-'));
writeFileSync(join(home, 'tiny.safetensors'), writeModel(tinyTeacher()));
afterAll(() => rmSync(home, { recursive: true }));

const run = async (line: string) => await runDafl(line.split(' '), { cwd: home });
const distill =
  'distill tiny.safetensors --backend cpu --method dafl --batch-size 8 --generator-widths 4,4,2 --steps 2';

test.each([
  ['--json inspect tiny.safetensors', 'inspect tiny.safetensors --json'],
  ['inspect --json tiny.safetensors', 'inspect tiny.safetensors --json'],
  ['--help inspect', 'inspect --help'],
  ['-q --help inspect', 'inspect --help'],
  ['--json --help distill', 'help distill --json'],
  ['--quiet --version', '--version'],
])('dafl %s is dafl %s', async (line, same) => {
  const outcome = await run(line);
  expect(outcome).toEqual(await run(same));
  expect(outcome.code).toBe(0);
});

describe('--quiet', () => {
  test('leaves one line of a distillation, and says where the student is', async () => {
    const { code, stdout, stderr } = await run(`--quiet ${distill} --out quiet`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      /^tiny-half: agrees with its teacher on [\d.]+ % .*, quiet\/student\/student\.safetensors\n$/,
    );
  });

  test('leaves all events under --json', async () => {
    const { stdout, stderr } = await run(`${distill} --out events -q --json`);
    expect(stderr).toBe('');
    expect(parseEvents(stdout).map(({ event }) => event)).toEqual(
      expect.arrayContaining(['prepared', 'step', 'result']) as string[],
    );
  });

  test('hides no error', async () => {
    expect(await run('-q inspect none.onnx')).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/^error: Cannot read 'none\.onnx' as /) as string,
    });
  });

  test('hides not how an interrupted run goes on', async () => {
    let isSent = false;
    const stopped = await runDafl(
      [...distill.replace('--steps 2', '--steps 4000').split(' '), '-q', '--json', '--out', 'cut'],
      {
        cwd: home,
        onOutput: (text, kill) => {
          // The second would stop it at once.
          if (isSent || !text.includes('"step":3,')) return;
          isSent = true;
          kill('SIGINT');
        },
      },
    );
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toContain('Go on with\n  dafl distill --resume cut\n');
  });
});

test('dafl COMMAND --help --json is the JSON Schema of its arguments', async () => {
  const [help] = parseEvents((await run('evaluate --help --json')).stdout);
  expect(help).toMatchObject({
    event: 'help',
    command: 'evaluate',
    operands: ['model'],
    arguments: {
      type: 'object',
      required: ['model', 'data'],
      additionalProperties: false,
      properties: { split: { enum: ['test', 'train'], default: 'test' }, mean: { items: { type: 'number' } } },
    },
  });
});
