import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readModel, writeModel } from '@dafl/models';
import { encode } from 'fast-png';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { tinyData, tinyTeacher } from '../../../../test-fixtures/tiny-teacher.ts';
import type { TrainingRecord } from '../folder/training-record.ts';
import { runTraining, type TrainingEvent } from './run-training.ts';
import { parseTrainingOptions } from '../options/training-options.ts';

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'dafl-train-'));
  mkdirSync(join(home, 'data'));
  for (const prefix of ['train', 't10k']) {
    for (const [name, bytes] of tinyData({ prefix, count: 40 })) writeFileSync(join(home, 'data', name), bytes);
  }
  writeFileSync(join(home, 'tiny.safetensors'), writeModel(tinyTeacher()));
});
afterEach(() => rmSync(home, { recursive: true }));

async function run(changes: object = {}, settings: object = {}): Promise<TrainingEvent[]> {
  const options = parseTrainingOptions({
    architecture: join(home, 'tiny.safetensors'),
    data: join(home, 'data'),
    epochs: 2,
    batchSize: 10,
    backend: 'cpu',
    ...changes,
  });
  const file = join(home, 'out', 'trained.safetensors');
  const events: TrainingEvent[] = [];
  for await (const event of runTraining(options, { file, command: 'dafl train', ...settings })) events.push(event);
  return events;
}

const recordOf = (): TrainingRecord =>
  JSON.parse(readFileSync(join(home, 'out', 'trained.json'), 'utf8')) as TrainingRecord;

/** Three classes of four pictures each. */
function putClassFolders(folder: string): void {
  for (const [index, name] of ['ant', 'bee', 'cat'].entries()) {
    const place = join(folder, name);
    mkdirSync(place, { recursive: true });
    const data = new Uint8Array(8 * 8 * 3).fill(100 * index);
    for (const file of ['1.png', '2.png', '3.png', '4.png'])
      writeFileSync(join(place, file), encode({ width: 8, height: 8, channels: 3, data }));
  }
}

test('images without a test half are not reported on as test images', async () => {
  const data = join(home, 'flat');
  putClassFolders(data);
  await expect(run({ data, validationSplit: 0 })).rejects.toThrow(
    `Cannot train as 'validationSplit' must be >= 1 where there are no test images: current value is 0, and '${data}' has no folders 'train' and 'test'`,
  );
  // A tenth is held out, of training images that have no others beside them, too.
  await run({ data });
  expect(recordOf().options.validationSplit).toBe(2);
  putClassFolders(join(home, 'alone', 'train'));
  await run({ data: join(home, 'alone') }, { force: true });
  expect(recordOf().evaluation).toEqual({ on: 'validation', count: 2 });
  const events = await run({ data, validationSplit: 3, batchSize: 3 }, { force: true });
  expect(events[0]).toMatchObject({ trainingImages: 9, evaluationImages: 3, evaluation: 'validation' });
  const { confusion } = events.find((event) => event.event === 'evaluation')!;
  // One of each class.
  expect(confusion.map((row) => row.reduce((total, count) => total + count))).toEqual([1, 1, 1]);
});

test('a network sees few images as often as it needs', async () => {
  const data = join(home, 'flat');
  putClassFolders(data);
  const [, ...events] = await run({ data, epochs: undefined, batchSize: 5 });
  // Ten images in two steps.
  expect(events.at(-1)).toMatchObject({ steps: 400 });
  expect(recordOf().options.epochs).toBe(200);
});

test('the model has the names of class folders, and colours become what it reads', async () => {
  for (const split of ['train', 'test']) putClassFolders(join(home, 'pictures', split));
  const [prepared] = await run({ data: join(home, 'pictures') });
  expect(prepared).toMatchObject({
    note: 'The images are in colour, and tiny reads grey: resnet20 and others read colours',
  });
  const { graph } = readModel(readFileSync(join(home, 'out', 'trained.safetensors')));
  expect(graph).toMatchObject({ inputShape: [8, 8, 1], classNames: ['ant', 'bee', 'cat'] });
});

test('a class without a training image is told of', async () => {
  const pictures = join(home, 'pictures');
  for (const split of ['train', 'test']) putClassFolders(join(pictures, split));
  rmSync(join(pictures, 'train', 'bee'), { recursive: true });
  await expect(run({ data: pictures })).rejects.toThrow(
    `Cannot train on '${pictures}' as each class must have training images: current value is none of 'bee'`,
  );
});

test('one class is nothing to tell apart', async () => {
  const data = join(home, 'one');
  putClassFolders(data);
  for (const name of ['bee', 'cat']) rmSync(join(data, name), { recursive: true });
  await expect(run({ data })).rejects.toMatchObject({
    code: 'DATA',
    message: `Cannot train on '${data}' as there must be 2 classes or more: current value is only 'ant'`,
  });
});

test('of fewer images than a batch has, a batch is all', async () => {
  const events = await run({ batchSize: 41, epochs: 1 });
  expect(events.at(-1)).toMatchObject({ event: 'result', step: 1 });
  expect(recordOf().options.batchSize).toBe(40);
});

test('options of another optimizer are refused', async () => {
  await expect(run({ nesterov: true })).rejects.toThrow(
    "Cannot train with the optimizer 'adam' as 'nesterov' must not be given (it is an option of sgd): current value is true",
  );
  await expect(run({ weightDecay: 0.1 })).rejects.toThrow(/'weightDecay' must not be given/);
  // What is said and has no effect is refused also where it is the other optimizer's default.
  await expect(run({ momentum: 0.9 })).rejects.toThrow(/'momentum' must not be given/);
  await expect(run({ optimizer: 'sgd', momentum: 0, nesterov: true })).rejects.toThrow(
    "Cannot train as 'nesterov' must not be given where 'momentum' is 0: current value is true",
  );
  await expect(run({ startFrom: 'other.safetensors', initialization: 'uniform' })).rejects.toThrow(
    "Cannot train from 'other.safetensors' as 'initialization' must not be given (the first weights are those of the file): current value is 'uniform'",
  );
});

test('where nothing can be written is told before the data is read', async () => {
  const file = join(home, 'tiny.safetensors', 'trained.safetensors');
  await expect(run({ data: join(home, 'nowhere') }, { file })).rejects.toMatchObject({ code: 'STORAGE' });
});

test('writes the model, its record and the measurements', async () => {
  const events = await run({ shift: 1 });
  expect(events[0]).toMatchObject({
    event: 'prepared',
    name: 'tiny',
    trainingImages: 40,
    evaluationImages: 40,
    evaluation: 'test',
  });
  expect(events.filter(({ event }) => event === 'step')).toHaveLength(8);
  expect(readdirSync(join(home, 'out'))).toEqual([
    'trained.json',
    'trained.metrics.jsonl',
    'trained.report.html',
    'trained.safetensors',
  ]);
  const bytes = readFileSync(join(home, 'out', 'trained.safetensors'));
  expect(readModel(bytes).graph.name).toBe('tiny');
  const record = recordOf();
  expect(record).toMatchObject({
    command: 'dafl train',
    seed: 0,
    options: { shift: 1, learningRate: 2e-3 },
    evaluation: { on: 'test', count: 40 },
  });
  expect(record.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
  expect(record.evaluations.map(({ epoch }) => epoch)).toEqual([1, 2]);
  expect(record.accuracy).toBe(record.evaluations[1].accuracy);
});

test('the same seed trains the same network', async () => {
  await run();
  const { sha256 } = recordOf();
  await run({}, { force: true });
  expect(recordOf().sha256).toBe(sha256);
  await run({ seed: 1 }, { force: true });
  expect(recordOf().sha256).not.toBe(sha256);
});

test('a validation split takes the place of the test images, which are not read', async () => {
  for (const name of readdirSync(join(home, 'data'))) if (name.startsWith('t10k')) rmSync(join(home, 'data', name));
  const [prepared] = await run({ validationSplit: 10, optimizer: 'sgd', learningRate: 0.1 });
  expect(prepared).toMatchObject({ trainingImages: 30, evaluationImages: 10, evaluation: 'validation' });
  await expect(run({ validationSplit: 40 }, { force: true })).rejects.toThrow(
    "Cannot train as 'validationSplit' must be below the 40 training images: current value is 40",
  );
});

test('refuses to replace files, and leaves nothing when it is stopped', async () => {
  const controller = new AbortController();
  controller.abort();
  await expect(run({}, { signal: controller.signal })).rejects.toThrow('aborted');
  expect(existsSync(join(home, 'out'))).toBe(false);
  await run();
  await expect(run()).rejects.toThrow(
    /^Cannot write '.*trained\.safetensors' as it must not exist yet: current value is a file\. Choose another name, or replace it with --force$/,
  );
});

test('unknown architectures are named', async () => {
  await expect(run({ architecture: 'lenet7' })).rejects.toThrow(
    /^Cannot read 'lenet7' as it must be a model file or one of \[lenet5, lenet5-half.*\]: no such file\. Did you mean 'lenet5'\?$/,
  );
});
