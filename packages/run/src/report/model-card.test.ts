import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeModel } from '@dafl/models';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { tinyData, tinyTeacher } from '../../../../test-fixtures/tiny-teacher.ts';
import { parseDistillationOptions } from '../options/distillation-options.ts';
import { runDistillation } from '../distillation/run-distillation.ts';

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
  expect(text).toContain('Labelled images were read for this report only');
  expect(text.match(/student\.safetensors\)/g)).toHaveLength(1);
  expect(text).not.toContain('onnx');
});

test('a card tells of the formats that were written, and of no labelled images where there were none', async () => {
  const options = { steps: 1, method: 'noise', batchSize: 8, export: 'tfjs', quantize: 'int8', backend: 'cpu' };
  const teacher = join(folder, 'teacher.safetensors');
  for await (const event of runDistillation(parseDistillationOptions({ teacher, ...options }), {
    folder: join(folder, 'run'),
  })) {
    if (event.event !== 'result') continue;
    expect(event.files).toMatchObject({
      tfjs: join(folder, 'run', 'student', 'tfjs', 'model.json'),
      int8: join(folder, 'run', 'student', 'student.int8.onnx'),
    });
    expect(event.files).not.toHaveProperty('onnx');
  }
  const card = readFileSync(join(folder, 'run', 'student', 'README.md'), 'utf8');
  expect(card).toContain('`tfjs/model.json`');
  expect(card).toContain('`student.int8.onnx`');
  expect(card).not.toMatch(/`student\.(onnx|keras)`|Labelled images/);
});

test.each([
  ['dafl', { steps: 2, batchSize: 8, replayBatches: 2, studentSteps: 1 }],
  ['noise', { steps: 1, batchSize: 8 }],
  ['original-data', { steps: 1, batchSize: 8 }],
])('a card of %s links to pages that exist, and holds no path of the machine', async (method, options) => {
  for (const [name, bytes] of tinyData({ prefix: 'train' })) writeFileSync(join(folder, name), bytes);
  for await (const _ of runDistillation(
    parseDistillationOptions({
      teacher: join(folder, 'teacher.safetensors'),
      eval: folder,
      backend: 'cpu',
      method,
      ...(method === 'original-data' ? { data: folder } : {}),
      ...options,
    }),
    { folder: join(folder, 'run') },
  ));
  const card = readFileSync(join(folder, 'run', 'student', 'README.md'), 'utf8');
  const links = [...card.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link);
  expect(links.length).toBeGreaterThan(0);
  // The paper's page; all else lies beside the card.
  const beside = links.filter((link) => link !== 'https://arxiv.org/abs/1904.01186');
  for (const link of beside) expect(existsSync(join(folder, 'run', 'student', link))).toBe(true);
  expect(card).not.toContain(folder);
  expect(card).not.toContain(tmpdir());
  // A hub makes links of these.
  expect(card).not.toMatch(/^base_model:|https?:\/\/(?!arxiv\.org)/m);
});
