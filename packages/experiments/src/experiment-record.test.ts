import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readExperimentRecord } from './experiment-record.ts';

test('a damaged record is told, and how to have its row again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dafl-record-'));
  try {
    const file = join(folder, 'row-seed-0.json');
    expect(await readExperimentRecord(file)).toBe(undefined);
    writeFileSync(file, '{"format":');
    await expect(readExperimentRecord(file)).rejects.toMatchObject({
      code: 'DATA',
      message: `Cannot read '${file}' as it must be the record of a row: current value is Unexpected end of JSON input. Without the file, the row is run again`,
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
