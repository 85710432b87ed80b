import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeModel } from '@dafl/models';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tinyTeacher } from '../../../test-fixtures/tiny-teacher.ts';
import { parseEvents, runDafl } from './_run-dafl.ts';

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'dafl-quantize-'));
  writeFileSync(join(home, 'teacher.safetensors'), writeModel(tinyTeacher()));
});
afterAll(() => rmSync(home, { recursive: true }));
const run = async (...parameters: string[]) => await runDafl(['quantize', ...parameters], { cwd: home });

test('dafl quantize writes a file that dafl reads, and tells sizes and agreement', async () => {
  const { code, stdout } = await run('teacher.safetensors', '--out', 'small.onnx', '--backend', 'cpu', '--json');
  expect(code).toBe(0);
  const [result] = parseEvents(stdout);
  expect(result).toMatchObject({
    event: 'result',
    file: 'small.onnx',
    sizeBytes: readFileSync(join(home, 'small.onnx')).length,
    sizeBytesBefore: readFileSync(join(home, 'teacher.safetensors')).length,
  });
  expect((result as unknown as { marks: { agreement: number } }).marks.agreement).toBeGreaterThan(0.95);
  expect(await runDafl(['inspect', 'small.onnx'], { cwd: home })).toMatchObject({ code: 0 });
});

test.each([
  [['teacher.safetensors'], "'<file>' must be given: current value is none. Type dafl quantize <model> <file>"],
  [
    ['teacher.safetensors', '--out', 'x.safetensors'],
    "'--out' must be a name that ends in .onnx: current value is 'x.safetensors'",
  ],
  [
    ['teacher.safetensors', '--out', 'x.onnx', '--backend', 'tpu'],
    "'--backend' must be 'auto', 'node', 'webgpu', 'wasm' or 'cpu': current value is 'tpu'",
  ],
])('dafl quantize %j is refused', async (parameters, message) => {
  const { code, stderr } = await run(...parameters);
  expect({ code, stderr }).toEqual({ code: 2, stderr: `error: Cannot run 'dafl quantize' as ${message}\n` });
});

test('dafl quantize replaces no file but with --force', async () => {
  writeFileSync(join(home, 'kept.onnx'), 'kept');
  expect(await run('teacher.safetensors', '--out', 'kept.onnx')).toMatchObject({
    code: 2,
    stderr:
      "error: Cannot write 'kept.onnx' as it must not exist yet: current value is a file. Choose another name, or replace it with --force\n",
  });
  expect(readFileSync(join(home, 'kept.onnx'), 'utf8')).toBe('kept');
});

test('dafl distill --quantize int8 writes what dafl quantize makes of the student', async () => {
  const line =
    'distill --teacher teacher.safetensors --student half --steps 1 --batch-size 8 --pictures 16 --backend cpu --out run --quantize int8 --json';
  expect((await runDafl(line.split(' '), { cwd: home })).code).toBe(0);
  const student = 'run/student/student.safetensors';
  expect((await run(student, '--out', 'again.onnx', '--backend', 'cpu')).code).toBe(0);
  expect(readFileSync(join(home, 'run/student/student.int8.onnx'))).toEqual(readFileSync(join(home, 'again.onnx')));
});
