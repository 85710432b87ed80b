import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { assertVacant, runFolder } from './run-folder.ts';

test('what goes on with a run can be pasted, whatever its folder is called', async () => {
  const home = mkdtempSync(join(tmpdir(), 'dafl-run-folder-'));
  const path = join(home, "my run's place");
  mkdirSync(join(path, 'checkpoints'), { recursive: true });
  writeFileSync(join(path, 'checkpoints', 'step-00000001.safetensors'), '');
  writeFileSync(join(path, 'run.json'), JSON.stringify({ format: 'dafl-run', version: 1 }));
  await expect(assertVacant(runFolder(path))).rejects.toThrow(
    `go on with --resume '${join(home, String.raw`my run'\''s place`)}', or replace it with --force`,
  );
  rmSync(home, { recursive: true });
});
