import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeModel } from '@dafl/models';
import { parseDistillationOptions, parseTrainingOptions, resolveRecipe } from '@dafl/run';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { tinyData, tinyTeacher } from '../../../test-fixtures/tiny-teacher.ts';
import type { Experiment } from './experiment.ts';
import { experiments } from './experiments.ts';
import { summarizeExperiment, tableCells } from './summarize-experiment.ts';
import { type ExperimentEvent, type ExperimentSettings, runExperiment } from './run-experiment.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dafl-experiment-'));
  writeFileSync(join(folder, 'teacher.safetensors'), writeModel(tinyTeacher()));
  for (const [name, bytes] of tinyData()) writeFileSync(join(folder, name), bytes);
  for (const [name, bytes] of tinyData({ prefix: 'train', count: 40 })) writeFileSync(join(folder, name), bytes);
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A table of tiny runs of every kind. Its data are named as a user's. */
const tiny: Experiment = {
  name: 'tiny',
  title: 'Tiny',
  source: 'nowhere',
  rows: [
    {
      id: 'trained',
      label: 'trained',
      published: null,
      seeds: [1],
      task: {
        kind: 'train',
        options: { architecture: 'fixture:teacher', data: 'data:usps', epochs: 1, batchSize: 8 },
      },
    },
    {
      id: 'metadata',
      label: 'metadata',
      published: null,
      seeds: [1],
      task: { kind: 'record', teacher: 'fixture:teacher', data: 'data:usps' },
      isHidden: true,
    },
    {
      id: 'from-metadata',
      label: 'from metadata',
      published: 50,
      seeds: [1],
      task: {
        kind: 'distill',
        options: {
          teacher: 'fixture:teacher',
          method: 'metadata',
          metadata: 'row:metadata',
          eval: 'data:usps',
          steps: 1,
          batchSize: 6,
        },
      },
    },
    {
      id: 'dafl',
      label: 'dafl',
      published: 40,
      seeds: [1, 2],
      task: {
        kind: 'distill',
        options: {
          teacher: 'fixture:teacher',
          eval: 'data:usps',
          steps: 2,
          batchSize: 8,
          replayBatches: 0,
          studentSteps: 1,
        },
      },
    },
    {
      id: 'first-student',
      label: 'before its first step',
      published: null,
      seeds: [1],
      task: { kind: 'evaluate', model: 'fixture:teacher', student: 'half', data: 'data:usps' },
    },
    {
      id: 'elsewhere',
      label: 'elsewhere',
      published: null,
      seeds: [1],
      task: { kind: 'evaluate', model: 'fixture:teacher', data: 'data:cifar10' },
    },
  ],
};

const settings = (): ExperimentSettings => ({
  folder: join(folder, 'runs'),
  records: join(folder, 'records'),
  data: { usps: folder },
  fixtures: { teacher: join(folder, 'teacher.safetensors') },
  backend: 'cpu',
});

async function run(changes: Partial<ExperimentSettings> = {}, experiment = tiny): Promise<ExperimentEvent[]> {
  const events: ExperimentEvent[] = [];
  for await (const event of runExperiment(experiment, { ...settings(), ...changes })) {
    if (event.event !== 'step') events.push(event);
  }
  return events;
}

const told = (events: readonly ExperimentEvent[]): string[] =>
  events.map((event) => `${event.row.id} ${event.seed} ${event.event}`);

describe('runExperiment', () => {
  test('runs each row and seed once, keeps a record of each, and says what is skipped', async () => {
    const first = await run();
    expect(told(first)).toEqual([
      'trained 1 started',
      'trained 1 finished',
      'metadata 1 started',
      'metadata 1 finished',
      'from-metadata 1 started',
      'from-metadata 1 finished',
      'dafl 1 started',
      'dafl 1 finished',
      'dafl 2 started',
      'dafl 2 finished',
      'first-student 1 started',
      'first-student 1 finished',
      'elsewhere 1 skipped',
    ]);
    expect(first.at(-1)).toMatchObject({ reason: 'its data is not given: --cifar10 FOLDER' });
    expect(readdirSync(join(folder, 'records', 'tiny')).sort()).toEqual([
      'dafl-seed-1.json',
      'dafl-seed-2.json',
      'first-student-seed-1.json',
      'from-metadata-seed-1.json',
      'metadata-seed-1.json',
      'trained-seed-1.json',
    ]);
    const again = await run();
    expect(told(again)).toEqual([
      'trained 1 finished',
      'metadata 1 finished',
      'from-metadata 1 finished',
      'dafl 1 finished',
      'dafl 2 finished',
      'first-student 1 finished',
      'elsewhere 1 skipped',
    ]);
    expect(again.every((event) => event.event !== 'finished' || event.isStored)).toBe(true);
    const finished = again.find(({ row, event }) => row.id === 'dafl' && event === 'finished');
    expect(finished).toMatchObject({
      record: {
        experiment: 'tiny',
        row: 'dafl',
        seed: 1,
        steps: 2,
        evaluations: [{ step: 0 }, { step: 1 }, { step: 2 }],
      },
    });
    const counts = finished?.event === 'finished' ? finished.record.classCounts : null;
    expect(counts?.reduce((total, count) => total + count)).toBe(256);
  });

  test('runs a row again when its task has changed', async () => {
    const only = ['dafl'];
    await run({ only, seeds: [3] });
    const [row] = tiny.rows.slice(3, 4);
    const task = { ...row.task, options: { ...(row.task as { options: object }).options, steps: 3 } } as never;
    const changed = { ...tiny, rows: [{ ...row, task }] };
    expect(told(await run({ only, seeds: [3] }, changed))).toEqual(['dafl 3 started', 'dafl 3 finished']);
  });

  test('goes on with a run that was interrupted, and counts the time of all its sessions', async () => {
    const controller = new AbortController();
    const stopped = async (): Promise<void> => {
      for await (const event of runExperiment(tiny, { ...settings(), only: ['dafl'], signal: controller.signal }))
        if (event.event === 'step') controller.abort();
    };
    await expect(stopped()).rejects.toThrow(/abort/i);
    const file = join(folder, 'runs', 'tiny', 'dafl-seed-1', 'run.json');
    const record = JSON.parse(readFileSync(file, 'utf8')) as { state: string; timings: object };
    expect(record.state).toBe('interrupted');
    writeFileSync(file, JSON.stringify({ ...record, timings: { ...record.timings, seconds: 5_000 } }));
    const events = await run({ only: ['dafl'], seeds: [1] });
    expect(told(events)).toEqual(['dafl 1 started', 'dafl 1 finished']);
    const finished = events.at(-1);
    expect(finished).toMatchObject({ record: { steps: 2, processorSeconds: null } });
    const seconds = finished?.event === 'finished' ? finished.record.seconds : 0;
    expect(seconds).toBeGreaterThan(5_000);
    expect(seconds).toBeLessThan(5_060);
  });

  test('goes on after a row that fails, and computes nothing on a dry run', async () => {
    writeFileSync(join(folder, 'teacher.safetensors'), 'no model');
    const events = await run({ only: ['dafl', 'metadata'], seeds: [1] });
    expect(told(events)).toEqual(['metadata 1 started', 'metadata 1 failed', 'dafl 1 started', 'dafl 1 failed']);
    expect(told(await run({ isDryRun: true, only: ['dafl'] }))).toEqual(['dafl 1 planned', 'dafl 2 planned']);
  });

  test('rejects rows that there are not', async () => {
    await expect(run({ only: ['dalf'] })).rejects.toThrow(
      /'only' must name rows of \[trained, .*\]: current value is 'dalf'/,
    );
  });
});

test('a table has mean, standard deviation, least and difference of what was run', async () => {
  const events = await run({ only: ['dafl'] });
  const records = events.flatMap((event) => (event.event === 'finished' ? [event.record] : []));
  const known = records.map((record, index) => ({ ...record, accuracy: index === 0 ? 0.4 : 0.5 }));
  const lines = summarizeExperiment(tiny, known);
  expect(lines.map(({ id }) => id)).toEqual(['trained', 'from-metadata', 'dafl', 'first-student', 'elsewhere']);
  expect(tableCells(lines[2])).toEqual(['dafl', '40.00', '45.00 ± 7.07', '40.00', '2', '+5.00']);
  expect(tableCells(lines[0])).toEqual(['trained', '-', 'not run', '-', '-', '-']);
});

describe.each([...experiments.values()])('$name', ({ rows }) => {
  test('names its rows once, and refers to rows that stand before', () => {
    const ids = rows.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    rows.forEach(({ task }, index) => {
      for (const [, name] of JSON.stringify(task).matchAll(/"row:([^"]+)"/g)) {
        expect(ids.indexOf(name)).toBeGreaterThanOrEqual(0);
        expect(ids.indexOf(name)).toBeLessThan(index);
      }
    });
  });

  test('asks for options that there are', () => {
    for (const { task } of rows) {
      const parse = (): void => {
        if (task.kind === 'distill') resolveRecipe(parseDistillationOptions(task.options));
        if (task.kind === 'train') parseTrainingOptions(task.options);
      };
      expect(parse).not.toThrow();
    }
  });
});
