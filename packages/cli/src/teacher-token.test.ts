import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeModel } from '@dafl/models';
import { expect, test } from 'vitest';
import { tinyTeacher } from '../../../test-fixtures/tiny-teacher.ts';
import { serveModel } from '../../run/src/answers/_testing/serve-model.ts';
import { runDafl } from './_run-dafl.ts';

test('--teacher-token reaches the teacher and nothing that is written', async () => {
  const home = mkdtempSync(join(tmpdir(), 'dafl-token-'));
  writeFileSync(join(home, 'student.safetensors'), writeModel(tinyTeacher()));
  const served = await serveModel(tinyTeacher(), { token: 'sesame-7391' });
  try {
    const line = `distill ${served.url} --student student.safetensors --steps 1 --batch-size 8 --pictures 16 --backend cpu --range 0..1 --out run`;
    const refused = await runDafl(line.split(' '), { cwd: home });
    expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining('status 401') as string });
    const { code, stdout, stderr } = await runDafl([...line.split(' '), '--teacher-token', 'sesame-7391'], {
      cwd: home,
    });
    expect(code).toBe(0);
    expect(`${stdout}${stderr}`).not.toContain('sesame');
    const files = readdirSync(home, { recursive: true, encoding: 'utf8' }).map((name) => join(home, name));
    const written = files.filter((file) => statSync(file).isFile());
    expect(written.length).toBeGreaterThan(5);
    expect(written.filter((file) => readFileSync(file).includes('sesame'))).toEqual([]);
  } finally {
    await served.close();
    rmSync(home, { recursive: true });
  }
});
