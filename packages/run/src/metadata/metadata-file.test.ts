import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serializeSafetensors } from '@dafl/models';
import { expect, test } from 'vitest';
import { readMetadata } from './metadata-file.ts';

test.each([
  [{}, /its header must hold 'dafl\.metadata'/],
  [{ 'dafl.metadata': '{no' }, /its header must be JSON: current value is Expected property name/],
  [{ 'dafl.metadata': 'null' }, /its header must be sound/],
  [{ 'dafl.metadata': '{"version":1}' }, /its header must be sound/],
])('a file whose metadata are %j is refused as what it is', async (metadata: Record<string, string>, message) => {
  const folder = mkdtempSync(join(tmpdir(), 'dafl-metadata-'));
  try {
    const file = join(folder, 'metadata.safetensors');
    writeFileSync(file, serializeSafetensors({ metadata: new Map(Object.entries(metadata)), tensors: new Map() }));
    const error: unknown = await readMetadata(file, 'x').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'DATA', message: expect.stringMatching(message) as string });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
