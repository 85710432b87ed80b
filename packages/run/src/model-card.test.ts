import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeModel } from '@dafl/models';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { tinyData, tinyTeacher } from '../../../test-fixtures/tiny-teacher.ts';
import { parseDistillationOptions } from './distillation-options.ts';
import { runDistillation } from './run-distillation.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dafl-card-'));
  writeFileSync(join(folder, 'teacher.safetensors'), writeModel(tinyTeacher()));
  for (const [name, bytes] of tinyData()) writeFileSync(join(folder, name), bytes);
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a student comes with a card: front matter that YAML reads, what was measured, and that no data was used', async () => {
  const options = parseDistillationOptions({
    teacher: join(folder, 'teacher.safetensors'),
    eval: folder,
    backend: 'cpu',
    steps: 2,
    batchSize: 8,
    replayBatches: 2,
    studentSteps: 1,
  });
  let accuracy: number | undefined;
  for await (const event of runDistillation(options, { folder: join(folder, 'run') }))
    if (event.event === 'result') accuracy = event.accuracy;
  const card = readFileSync(join(folder, 'run', 'student', 'README.md'), 'utf8');
  const [, front, text] = card.split(/^---$/m);
  expect(parse(front)).toMatchObject({
    library_name: 'dafl',
    tags: ['image-classification', 'knowledge-distillation', 'data-free', 'dafl'],
    metrics: ['accuracy'],
    'model-index': [
      { name: 'tiny-half', results: [{ metrics: [{ type: 'accuracy', value: accuracy }, { type: 'agreement' }] }] },
    ],
  });
  expect(text).toContain('No training data was used');
  expect(text).toContain('# tiny-half');
});
