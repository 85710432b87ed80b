import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tinyData } from '../../../test-fixtures/tiny-teacher.ts';
import { parseEvents, runDafl } from './_run-dafl.ts';

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../../../test-fixtures/onnx/${name}.onnx`, import.meta.url));

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'dafl-onnx-'));
  for (const [name, content] of tinyData({ prefix: 't10k' })) writeFileSync(join(home, name), content);
});
afterAll(() => rmSync(home, { recursive: true }));
const run = async (...parameters: string[]) => await runDafl(parameters, { cwd: home });

test('dafl inspect reads ONNX with its weights in another file, and says what was found and assumed', async () => {
  const { code, stdout } = await run('inspect', fixture('gemm'), '--json');
  expect(code).toBe(0);
  expect(parseEvents(stdout)).toMatchObject([
    {
      classes: 5,
      inputShape: [8, 8, 1],
      outputs: { logits: 'Gemm_k' },
      notes: [
        "The logits are what LogSoftmax 'LogSoftmax_l' at its end reads",
        expect.stringContaining('0..1 is assumed') as string,
        'Nothing in it tells which: it has no batch norm that remembers its pictures',
      ],
    },
  ]);
  const told = await run('inspect', fixture('gemm'), '--range=-1..1', '--json');
  expect(parseEvents(told.stdout)).toMatchObject([
    { preprocessing: { mean: [0.5], standardDeviation: [0.5] }, notes: [{}] },
  ]);
});

test('a mean alone is refused with both flags, where the file says neither', async () => {
  const { code, stderr } = await run('evaluate', fixture('maps'), '--data', '.', '--std', '0.5', '--backend', 'cpu');
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /^error: Cannot use model 'maps' as '--mean' and '--std' must be given together, as the model says neither: current value is none and \[0\.5\]$/m,
  );
});

test('dafl evaluate and distill take an ONNX file', async () => {
  const evaluated = await run('evaluate', '--model', fixture('gemm'), '--data', '.', '--backend', 'cpu', '--json');
  expect(evaluated).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('note: The file does not say') as string,
  });
  const line = `distill --teacher ${fixture('maps')} --student half --mean 0.2 --std 0.5 --steps 1 --batch-size 8 --pictures 16 --backend cpu --out student --json`;
  const { code, stdout } = await run(...line.split(' '));
  expect(code).toBe(0);
  expect(parseEvents(stdout).at(-1)).toMatchObject({ event: 'result', steps: 1 });
  const inspected = await run('inspect', 'student/student/student.safetensors', '--json');
  expect(parseEvents(inspected.stdout)).toMatchObject([
    { preprocessing: { mean: [0.2], standardDeviation: [0.5] }, classes: 5 },
  ]);
});

test('dafl record takes one too, and what its file leaves open', async () => {
  const folder = mkdtempSync(join(home, 'train-'));
  for (const [name, content] of tinyData({ prefix: 'train', classes: 5, count: 40 }))
    writeFileSync(join(folder, name), content);
  const line = ['record', fixture('gemm'), '--data', folder, '--backend', 'cpu', '--out', 'metadata', '--force'];
  const untold = await run(...line);
  expect(untold).toMatchObject({ code: 0, stderr: expect.stringContaining('note: The file does not say') as string });
  const told = await run(...line, '--mean', '0.2', '--std', '0.5', '--threads', '1');
  expect(told.code).toBe(0);
  expect(told.stderr).not.toContain('note: The file does not say');
  const { code, stderr } = await run(...line, '--logits', 'nothing');
  expect(code).toBe(3);
  expect(stderr).toMatch(/'nothing'/);
});

test.each([
  [['--mean', 'x'], "'--mean' must be a list of numbers: current value is 'x'"],
  [['--std', '1,0'], "'--std' must be a list of numbers > 0: current value is [1,0]"],
  [['--range', '0..2'], "'--range' must be '0..1', '-1..1' or '0..255': current value is '0..2'. Did you mean '0..1'?"],
])('%j is refused', async (flags, message) => {
  const { code, stderr } = await run('inspect', fixture('gemm'), ...flags);
  expect({ code, stderr }).toEqual({ code: 2, stderr: `error: Cannot run 'dafl inspect' as ${message}\n` });
});
