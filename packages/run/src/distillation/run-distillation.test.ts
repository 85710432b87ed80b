import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandomStream, type Graph, initializeWeights } from '@dafl/core';
import { readModel, writeModel, writeOnnx } from '@dafl/models';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { tinyData, tinyRun, tinyTeacher } from '../../../../test-fixtures/tiny-teacher.ts';
import { fingerprintFile } from '../models/load-model.ts';
import { type DistillationOptions, parseDistillationOptions } from '../options/distillation-options.ts';
import { runDistillation, type RunSettings } from './run-distillation.ts';
import type { RunEvent, RunResultEvent } from './run-event.ts';
import { toJsonEvent } from './run-event.ts';
import { readConfiguration, readRunRecord } from '../folder/run-record.ts';

let home: string;
let teacher: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'dafl-run-'));
  teacher = join(home, 'teacher.safetensors');
  writeFileSync(teacher, writeModel(tinyTeacher()));
});
afterEach(() => rmSync(home, { recursive: true }));

const at = (name: string): string => join(home, name);
const optionsOf = (changes: object = {}): DistillationOptions =>
  parseDistillationOptions({ teacher, ...tinyRun, ...changes });

function putData(): string {
  const folder = at('data');
  mkdirSync(folder);
  for (const [name, bytes] of tinyData()) writeFileSync(join(folder, name), bytes);
  return folder;
}

async function collect(
  options: DistillationOptions,
  settings: RunSettings,
  onEvent: (event: RunEvent) => void = () => {},
): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of runDistillation(options, settings)) {
    events.push(event);
    onEvent(event);
  }
  return events;
}

async function resultOf(options: DistillationOptions, settings: RunSettings): Promise<RunResultEvent> {
  const last = (await collect(options, settings)).at(-1);
  if (last?.event !== 'result') throw new Error(`last event is ${last?.event}`);
  return last;
}

const lines = (folder: string): { event: string; step: number }[] =>
  readFileSync(join(folder, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string; step: number });

test('a run leaves the student, its record, measurements, pictures and a report', async () => {
  const folder = at('run');
  const events = await collect(optionsOf({ eval: putData(), evaluateEvery: 3, sampleEvery: 3 }), { folder });
  // Whether random weights look like a collapse is not the matter here.
  expect(events.map(({ event }) => event).filter((event) => event !== 'warning')).toEqual([
    'prepared',
    'start',
    'evaluation',
    'evaluation',
    'step',
    'step',
    'checkpoint',
    'step',
    'samples',
    'evaluation',
    'step',
    'checkpoint',
    'step',
    'step',
    'student',
    'checkpoint',
    'verdict',
    'samples',
    'evaluation',
    'result',
  ]);
  expect(readdirSync(folder).sort()).toEqual([
    'checkpoints',
    'confusion.svg',
    'curves.svg',
    'features.svg',
    'filters.svg',
    'metrics.jsonl',
    'report.html',
    'run.json',
    'samples',
    'samples.png',
    'student',
    'timeline.svg',
  ]);
  expect(readdirSync(join(folder, 'checkpoints'))).toEqual(['step-00000004.safetensors', 'step-00000006.safetensors']);
  expect(readdirSync(join(folder, 'samples'))).toEqual(['step-000003.png', 'step-000006.png']);
  const result = events.at(-1) as RunResultEvent;
  const model = readModel(readFileSync(result.files.student));
  expect(model.graph.name).toBe('tiny-half');
  expect(writeModel(model)).toEqual(writeModel(result.student));
  const record = await readRunRecord(result.files.record);
  expect(record).toMatchObject({
    state: 'finished',
    step: 6,
    accuracy: result.accuracy,
    agreement: result.agreement,
    teacherAccuracy: result.teacherAccuracy,
    student: { name: 'tiny-half', sha256: result.studentSha256 },
    initialization: 'teacher',
    backend: { description: 'cpu (pure TypeScript, float32)', reason: 'as asked for' },
    options: { ...tinyRun, teacher, seed: 0, evaluateEvery: 3, latentSize: 4, oneHotWeight: 1 },
  });
  expect(record?.evaluations.map(({ step }) => step)).toEqual([0, 3, 6]);
  expect(
    lines(folder)
      .filter(({ event }) => event === 'step')
      .map(({ step }) => step),
  ).toEqual([1, 2, 3, 4, 5, 6]);
  for (const event of events) expect(JSON.stringify(toJsonEvent(event)).length).toBeLessThan(3_000);
});

test.each([2, 5, 13])('a teacher of %i channels runs to its report', async (channels) => {
  writeFileSync(teacher, writeModel(tinyTeacher({ channels })));
  const folder = at('run');
  const { files } = await resultOf(optionsOf({ steps: 2, sampleEvery: 1 }), { folder });
  for (const file of [...Object.values(files), join(folder, 'timeline.svg')]) expect(existsSync(file)).toBe(true);
});

test('a student that is spoilt on the way is not the one that comes out', async () => {
  const options = optionsOf({
    student: 1,
    backend: 'wasm',
    batchSize: 3_000,
    studentLearningRate: 3,
    steps: 6,
    sampleEvery: 0,
  });
  const { step, keptStep, verdict, studentSha256, files } = await resultOf(options, { folder: at('best') });
  expect({ step, keptStep, agreement: verdict?.agreement }).toEqual({ step: 6, keptStep: 0, agreement: 1 });
  expect(
    lines(at('best'))
      .filter(({ event }) => event === 'verdict')
      .map((line) => line.step),
  ).toEqual([0, 5, 6]);
  const told = [files.report, join(at('best'), 'student', 'README.md')].map((file) => readFileSync(file, 'utf8'));
  expect(told[0]).toContain('It is the student of step 0');
  expect(told[0]).toContain('Judged without data');
  expect(told[1]).toContain('of which the student is that after step 0');
  const last = await resultOf({ ...options, keep: 'last' }, { folder: at('last') });
  expect(last).toMatchObject({ keptStep: 6, verdict: { level: 'poor' } });
  expect(last.studentSha256).not.toBe(studentSha256);
  // What ended once is told again as it was.
  expect(await resultOf(options, { folder: at('best'), resume: true })).toMatchObject({ keptStep: 0, studentSha256 });
});

test('the student is on the disk before anything is reported', async () => {
  const folder = at('run');
  const student = join(folder, 'student', 'student.safetensors');
  const present: string[] = [];
  const events = await collect(optionsOf({ steps: 2, sampleEvery: 0 }), { folder }, ({ event }) => {
    if (existsSync(student)) present.push(event);
  });
  expect(present.filter((event) => event !== 'warning')).toEqual([
    'student',
    'checkpoint',
    'verdict',
    'samples',
    'result',
  ]);
  expect((events.at(-1) as RunResultEvent).studentSha256).toBe(fingerprintFile(readFileSync(student)).sha256);
});

test('a report that cannot be made costs the student nothing', async () => {
  const folder = at('run');
  const events = await collect(optionsOf({ steps: 2, sampleEvery: 1 }), { folder }, ({ event }) => {
    // What is there of the report in the folder cannot be read from then on.
    if (event !== 'start') return;
    mkdirSync(join(folder, 'samples', 'step-000000.png'), { recursive: true });
  });
  expect(events.filter((event) => event.event === 'warning' && event.code === 'REPORT_FAILED')).toMatchObject([
    {
      step: 2,
      message: expect.stringMatching(/^Cannot write the report after step 2, and goes on without: /) as string,
    },
  ]);
  expect(events.at(-1)).toMatchObject({ event: 'result' });
  expect(await readRunRecord(join(folder, 'run.json'))).toMatchObject({ state: 'finished', step: 2 });
  expect(readModel(readFileSync(join(folder, 'student', 'student.safetensors'))).graph.name).toBe('tiny-half');
});

test('run.json repeats the run exactly', async () => {
  const first = await resultOf(optionsOf({ seed: 5, adversarialWeight: 0.3 }), { folder: at('first') });
  const { options, teacherSha256 } = await readConfiguration(first.files.record);
  const again = await resultOf(parseDistillationOptions(options), { folder: at('again'), teacherSha256 });
  expect(again.studentSha256).toBe(first.studentSha256);
  expect((await readRunRecord(again.files.record))?.options).toEqual(
    (await readRunRecord(first.files.record))?.options,
  );
  const other = await resultOf(parseDistillationOptions({ ...options, seed: 6 }), { folder: at('other') });
  expect(other.studentSha256).not.toBe(first.studentSha256);

  writeFileSync(teacher, writeModel(tinyTeacher({ name: 'other' })));
  await expect(
    collect(parseDistillationOptions(options), { folder: at('wrong'), teacherSha256 }),
  ).rejects.toMatchObject({
    code: 'MODEL',
    message: expect.stringMatching(
      /^Cannot repeat the run with teacher '.*' as its SHA-256 must be [0-9a-f]{64}: current value is [0-9a-f]{64}$/,
    ) as string,
  });
  expect(existsSync(at('wrong'))).toBe(false);
});

/** Stops a run by its signal after the third step. */
async function interrupt(
  options: DistillationOptions,
  folder: string,
  { after = 3, resume = false } = {},
): Promise<RunEvent[]> {
  const controller = new AbortController();
  return await collect(options, { folder, resume, signal: controller.signal }, (event) => {
    if (event.event === 'step' && event.step === after) controller.abort();
  });
}

describe('a run that was stopped goes on to the same student', () => {
  test('by its signal, after the step under way', async () => {
    const whole = await resultOf(optionsOf(), { folder: at('whole') });
    const folder = at('run');
    const events = await interrupt(optionsOf(), folder);
    expect(events.slice(-2)).toMatchObject([
      { event: 'checkpoint', step: 3 },
      { event: 'interrupted', step: 3, steps: 6, folder },
    ]);
    const record = await readRunRecord(join(folder, 'run.json'));
    expect(record).toMatchObject({ state: 'interrupted', step: 3 });
    expect(readFileSync(join(folder, 'report.html'), 'utf8')).toContain('interrupted after 3 of 6 steps');
    const resumed = await resultOf(record!.options, { folder, resume: true });
    expect(resumed.studentSha256).toBe(whole.studentSha256);
    expect(
      lines(folder)
        .filter(({ event }) => event === 'step')
        .map(({ step }) => step),
    ).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await readRunRecord(join(folder, 'run.json'))).toMatchObject({
      state: 'finished',
      timings: { sessions: 2 },
    });
  });

  test('at any event, as by kill -9, with and without a later checkpoint', async () => {
    const data = putData();
    const options = optionsOf({ eval: data, evaluateEvery: 2, sampleEvery: 2 });
    const folder = at('run');
    // What a killed process leaves: the folder as it was when an event was told.
    let count = 0;
    const states: string[] = [];
    const whole = await collect(options, { folder }, () => {
      const copy = at(`killed-${count++}`);
      cpSync(folder, copy, { recursive: true });
      rmSync(join(copy, 'run.lock'), { force: true });
      writeFileSync(join(copy, '.run.json.1-0123456789ab.tmp'), 'half');
      states.push(copy);
    });
    const expected = whole.at(-1) as RunResultEvent;
    for (const copy of states) {
      const record = await readRunRecord(join(copy, 'run.json'));
      const resumed = await resultOf(record!.options, { folder: copy, resume: true });
      expect(resumed.studentSha256).toBe(expected.studentSha256);
      expect(resumed.accuracy).toBe(expected.accuracy);
      const measured = lines(copy).map(({ event, step }) => `${event} ${step}`);
      expect(measured).toEqual(lines(folder).map(({ event, step }) => `${event} ${step}`));
      expect(readdirSync(copy).filter((name) => name.endsWith('.tmp') && !resumed.isRepeated)).toEqual([]);
    }
  });

  test('with the timeline of all of its sessions', async () => {
    const options = optionsOf({ sampleEvery: 2 });
    await collect(options, { folder: at('whole') });
    const folder = at('run');
    await interrupt(options, folder);
    await resultOf(options, { folder, resume: true });
    const timeline = (run: string) => readFileSync(join(run, 'timeline.svg'));
    expect(timeline(folder).equals(timeline(at('whole')))).toBe(true);
  });

  test('where what the networks and the clock decided is left open once more, as jobs of a server leave it', async () => {
    const wide = at('wide.safetensors');
    const dense = (name: string, units: number, input: string) =>
      ({ kind: 'dense', name, inputs: [input], units, useBias: true }) as const;
    const graph: Graph = {
      name: 'wide',
      inputShape: [20, 20, 1],
      nodes: [
        { kind: 'flatten', name: 'flat', inputs: ['input'], order: 'hwc' },
        dense('hidden', 8, 'flat'),
        { kind: 'activation', name: 'relu', inputs: ['hidden'], function: 'relu' },
        dense('logits', 3, 'relu'),
      ],
      outputs: { logits: 'logits', features: 'relu' },
    };
    writeFileSync(wide, writeModel(initializeWeights(graph, createRandomStream(0, 'wide'))));
    const changes = { teacher: wide, method: 'procedural', pictures: 64, student: 'half' };
    const { backend, steps, batchSize } = tinyRun;
    const open = parseDistillationOptions({ backend, steps, batchSize, ...changes });
    const timed = { ...open, pace: [[2, 5]] as const };
    const whole = await resultOf(timed, { folder: at('whole') });
    const folder = at('run');
    await interrupt(timed, folder);
    await interrupt(open, folder, { resume: true, after: 4 });
    const { options } = (await readRunRecord(join(folder, 'run.json')))!;
    expect(options).toMatchObject({ hintWeight: 8, pace: [[2, 5]] });
    expect((await resultOf(open, { folder, resume: true })).studentSha256).toBe(whole.studentSha256);
  });

  test('though an earlier version, with a hyper-parameter less, began it', async () => {
    const whole = await resultOf(optionsOf(), { folder: at('whole') });
    const folder = at('run');
    await interrupt(optionsOf(), folder);
    const file = join(folder, 'run.json');
    const { options, ...record } = JSON.parse(readFileSync(file, 'utf8')) as { options: Record<string, unknown> };
    const { studentBatchNorm, ...earlier } = options;
    expect(studentBatchNorm).toBe('moving');
    writeFileSync(file, JSON.stringify({ ...record, options: earlier }));
    const resumed = await resultOf(optionsOf(), { folder, resume: true });
    expect(resumed.studentSha256).toBe(whole.studentSha256);
  });

  test('though it was begun before random starts had batch norms, and is asked for as it was then', async () => {
    const { backend, steps, batchSize } = tinyRun;
    const open = { backend, steps, batchSize, teacher, method: 'procedural', pictures: 64, initialization: 'random' };
    const then = parseDistillationOptions({ ...open, studentNorms: 'own', usesPerBatch: 4 });
    const whole = await resultOf(then, { folder: at('whole') });
    const folder = at('run');
    await interrupt(then, folder);
    const file = join(folder, 'run.json');
    const { options, ...record } = JSON.parse(readFileSync(file, 'utf8')) as { options: Record<string, unknown> };
    const { studentNorms, usesPerBatch, ...earlier } = options;
    expect([studentNorms, usesPerBatch]).toEqual(['own', 4]);
    writeFileSync(file, JSON.stringify({ ...record, options: earlier }));
    expect((await readRunRecord(file))!.options).toMatchObject({ studentNorms: 'own', usesPerBatch: 4 });
    const resumed = await resultOf(parseDistillationOptions(open), { folder, resume: true });
    expect(resumed.studentSha256).toBe(whole.studentSha256);
  });

  test('past a damaged checkpoint, with a warning', async () => {
    const whole = await resultOf(optionsOf(), { folder: at('whole') });
    const folder = at('run');
    const controller = new AbortController();
    await collect(optionsOf(), { folder, signal: controller.signal }, (event) => {
      if (event.event === 'step' && event.step === 5) controller.abort();
    });
    const newest = join(folder, 'checkpoints', 'step-00000005.safetensors');
    writeFileSync(newest, readFileSync(newest).subarray(0, -9));
    const events = await collect(optionsOf(), { folder, resume: true });
    expect(events[1]).toMatchObject({ event: 'warning', code: 'DAMAGED_CHECKPOINT', step: 4 });
    expect(events.find(({ event }) => event === 'start')).toMatchObject({ resumedAt: 4 });
    expect((events.at(-1) as RunResultEvent).studentSha256).toBe(whole.studentSha256);
  });

  test('though its teacher was moved and renamed, and no other was put in its place', async () => {
    const onnx = at('old.onnx');
    writeFileSync(onnx, writeOnnx(tinyTeacher()));
    const options = optionsOf({ teacher: onnx, steps: 4 });
    const whole = await resultOf(options, { folder: at('whole') });
    const controller = new AbortController();
    await collect(options, { folder: at('moved'), signal: controller.signal }, (event) => {
      if (event.event === 'step' && event.step === 2) controller.abort();
    });
    rmSync(onnx);
    mkdirSync(at('elsewhere'));
    const moved = at('elsewhere/new.onnx');
    writeFileSync(moved, writeOnnx(tinyTeacher({ name: 'other' })));
    const goOn = () => resultOf({ ...options, teacher: moved }, { folder: at('moved'), resume: true });
    await expect(goOn()).rejects.toThrow(/as its SHA-256 must be/);
    writeFileSync(moved, writeOnnx(tinyTeacher()));
    expect((await goOn()).studentSha256).toBe(whole.studentSha256);
    expect((await readRunRecord(at('moved/run.json')))!.options.teacher).toBe(moved);
  });

  test('past damaged lines of measurements', async () => {
    const controller = new AbortController();
    const folder = at('cut');
    await collect(optionsOf(), { folder, signal: controller.signal }, (event) => {
      if (event.event === 'step' && event.step === 2) controller.abort();
    });
    const file = join(folder, 'metrics.jsonl');
    const [first, ...others] = readFileSync(file, 'utf8').split('\n');
    writeFileSync(file, [first, 'null', '{"ev', '3', ...others, '{"event":"st'].join('\n'));
    expect((await resultOf(optionsOf(), { folder, resume: true })).step).toBe(6);
    expect(
      lines(folder)
        .filter(({ event }) => event === 'step')
        .map(({ step }) => step),
    ).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('a finished run is told again, and nothing is computed', async () => {
    const folder = at('run');
    const first = await resultOf(optionsOf(), { folder });
    const events = await collect(optionsOf(), { folder, resume: true });
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      event: 'result',
      isRepeated: true,
      studentSha256: first.studentSha256,
      agreement: first.agreement,
    });
  });
});

describe('refuses', () => {
  const message = async (options: DistillationOptions, settings: RunSettings): Promise<string> =>
    await collect(options, settings).then(
      () => '',
      (error: Error) => error.message,
    );

  test('a folder that holds another run, unless it is to be replaced', async () => {
    const folder = at('run');
    await resultOf(optionsOf(), { folder });
    const before = readFileSync(join(folder, 'run.json'), 'utf8');
    writeFileSync(join(folder, 'notes.txt'), 'mine');
    expect(await message(optionsOf({ seed: 1 }), { folder })).toBe(
      `Cannot write to '${folder}' as it must not hold another run: current content is 'checkpoints'. Choose another folder, go on with --resume ${folder}, or replace it with --force`,
    );
    expect(readFileSync(join(folder, 'run.json'), 'utf8')).toBe(before);
    const foreign = join(folder, 'student', 'thesis.txt');
    writeFileSync(foreign, 'mine');
    for (const name of ['student.int8.onnx', 'student.preprocessor_config.json'])
      writeFileSync(join(folder, 'student', name), 'of the run before');
    const replaced = await resultOf(optionsOf({ seed: 1 }), { folder, force: true });
    expect(readdirSync(join(folder, 'student'))).toEqual(['README.md', 'student.safetensors', 'thesis.txt']);
    expect(readFileSync(foreign, 'utf8')).toBe('mine');
    expect((await readRunRecord(replaced.files.record))?.options.seed).toBe(1);
    expect(readFileSync(join(folder, 'notes.txt'), 'utf8')).toBe('mine');
  });

  test('a path that is a file', async () => {
    expect(await message(optionsOf(), { folder: teacher })).toBe(
      `Cannot write to '${teacher}' as it must be a folder: current value is a file`,
    );
  });

  test('to replace what is no run', async () => {
    const folder = at('project');
    for (const name of ['checkpoints', 'student', 'samples']) {
      mkdirSync(join(folder, name), { recursive: true });
      writeFileSync(join(folder, name, 'own.txt'), 'mine');
    }
    const rule = "as it must be a run with its run.json: current content is 'checkpoints'. Choose another folder";
    expect(await message(optionsOf(), { folder, force: true })).toBe(`Cannot replace what is in '${folder}' ${rule}`);
    writeFileSync(join(folder, 'run.json'), '{"name":"another tool"}');
    expect(await message(optionsOf(), { folder, force: true })).toBe(`Cannot replace what is in '${folder}' ${rule}`);
    expect(await message(optionsOf(), { folder })).toBe(
      `Cannot write to '${folder}' as it must not hold another run: current content is 'checkpoints'. Choose another folder`,
    );
    for (const name of ['checkpoints', 'student', 'samples']) {
      expect(readFileSync(join(folder, name, 'own.txt'), 'utf8')).toBe('mine');
    }
    expect(readdirSync(folder)).toEqual(['checkpoints', 'run.json', 'samples', 'student']);
  });

  test('to go on where there is no run, or with other options', async () => {
    const folder = at('run');
    expect(await message(optionsOf(), { folder, resume: true })).toBe(
      `Cannot resume '${folder}' as it must hold a run: run.json is missing`,
    );
    await resultOf(optionsOf(), { folder });
    const ended = at('ended');
    await resultOf(optionsOf(), { folder: ended });
    expect(await message(optionsOf({ export: 'onnx' }), { folder: ended, resume: true })).toBe(
      `Cannot resume '${ended}' as 'export' must be left out where the run has ended: current value is "onnx". 'dafl evaluate', 'dafl convert' and 'dafl quantize' work on its student`,
    );
    expect(await message(optionsOf({ temperature: 2 }), { folder, resume: true })).toBe(
      `Cannot resume '${folder}' as 'temperature' must be 4, as the run was started with: current value is 2`,
    );
  });

  test('a damaged record, a finished run without its student, and files in the place of folders', async () => {
    const folder = at('run');
    await resultOf(optionsOf(), { folder });
    const file = join(folder, 'run.json');
    const record = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    const goOn = () => collect(optionsOf(), { folder, resume: true });
    for (const [fields, named] of [
      [{ teacher: undefined }, 'teacher'],
      [{ teacher: { ...(record.teacher as object), sha256: 7 } }, 'teacher.sha256'],
      [{ options: null }, 'options'],
      [{ state: 'asleep' }, 'state'],
      [{ evaluations: [{ step: 1 }] }, 'evaluations.0.accuracy'],
    ] as const) {
      writeFileSync(file, JSON.stringify({ ...record, ...fields }));
      const message = `Cannot read '${file}' as it must be the record of a run, version 1: current content is one whose '${named}' is damaged`;
      await expect(goOn()).rejects.toMatchObject({ code: 'DATA', message });
      await expect(readConfiguration(file)).rejects.toMatchObject({ code: 'DATA', message });
    }
    writeFileSync(file, JSON.stringify(record));
    rmSync(join(folder, 'student'), { recursive: true });
    await expect(goOn()).rejects.toMatchObject({ code: 'MODEL' });
    writeFileSync(file, JSON.stringify({ ...record, state: 'interrupted' }));
    for (const name of ['samples', 'checkpoints']) {
      rmSync(join(folder, name), { recursive: true });
      writeFileSync(join(folder, name), '');
      const message = `Cannot read '${join(folder, name)}' as it must be a folder: current value is a file`;
      await expect(goOn()).rejects.toMatchObject({ code: 'DATA', message });
      rmSync(join(folder, name));
      mkdirSync(join(folder, name));
    }
  });

  test('a second process in the folder', async () => {
    const folder = at('run');
    let second = '';
    for await (const event of runDistillation(optionsOf(), { folder })) {
      if (event.event === 'step' && event.step === 1) second = await message(optionsOf(), { folder, resume: true });
    }
    expect(second).toMatch(/^Cannot run in '.*' as no other process must work there: current owner is process \d+ on /);
  });

  test('what cannot be read, and writes nothing', async () => {
    const folder = at('deep/run');
    const missing = at('none.onnx');
    expect(await message(optionsOf({ teacher: missing }), { folder })).toBe(
      `Cannot read '${missing}' as it must be a model file or one of [lenet5-mnist]: no such file`,
    );
    const student = at('student.safetensors');
    writeFileSync(student, writeModel(tinyTeacher({ classes: 4, name: 'four' })));
    expect(await message(optionsOf({ student }), { folder })).toBe(
      "Cannot distill 'tiny' into 'four' as the student must have 3 classes: current value is 4",
    );
    expect(await message(optionsOf({ logits: 'lgits' }), { folder })).toContain("'logits' must name one of its nodes");
    expect(existsSync(at('deep'))).toBe(false);
  });
});

test('a teacher that ends in a softmax gives its logits, which is said, or those that are named', async () => {
  writeFileSync(teacher, writeModel(tinyTeacher({ output: 'softmax' })));
  const warned = async (options: Partial<DistillationOptions>, folder: string) => {
    const events = await collect(optionsOf(options), { folder: at(folder) });
    expect(events.at(-1)?.event).toBe('result');
    expect(events.find((event) => event.event === 'start')).toMatchObject({ initialization: 'teacher' });
    return events.flatMap((event) => (event.event === 'warning' && event.step === 0 ? event.message : []));
  };
  expect(await warned({}, 'found')).toEqual(["The logits are what Softmax 'prob' at its end reads"]);
  expect(await warned({ logits: 'logits' }, 'named')).toEqual([]);
  const bare = at('bare.safetensors');
  writeFileSync(bare, writeModel(tinyTeacher()));
  expect(await warned({ student: bare }, 'bare')).toEqual(["The logits are what Softmax 'prob' at its end reads"]);
});

test.each(['softmax', 'sigmoid'] as const)('a teacher that ends in a %s has a report', async (head) => {
  const { graph } = tinyTeacher();
  const nodes = graph.nodes.map((node) => (node.kind === 'dense' && head === 'sigmoid' ? { ...node, units: 1 } : node));
  const end = { kind: 'activation', name: 'prob', inputs: ['logits'], function: head } as const;
  const ended: Graph = { ...graph, nodes: [...nodes, end], outputs: { ...graph.outputs, logits: 'prob' } };
  writeFileSync(teacher, writeModel(initializeWeights(ended, createRandomStream(2, head))));
  const events = await collect(optionsOf({ steps: 2 }), { folder: at('run') });
  const codes = events.flatMap((event) => (event.event === 'warning' ? event.code : []));
  expect(codes).not.toContain('REPORT_FAILED');
});

test('a student keeps the channels of a teacher whose group norms are spelt as torch spells them', async () => {
  const conv = { kind: 'conv2d', strides: [1, 1], dilations: [1, 1], groups: 1, useBias: false } as const;
  const graph: Graph = {
    name: 'grouped',
    inputShape: [8, 8, 1],
    nodes: [
      {
        ...conv,
        name: 'conv',
        inputs: ['input'],
        filters: 8,
        kernelSize: [3, 3],
        padding: { top: 1, bottom: 1, left: 1, right: 1 },
      },
      { kind: 'groupNorm', name: 'norm', inputs: ['conv'], groups: 2, epsilon: 1e-5, affine: true },
      { kind: 'activation', name: 'relu', inputs: ['norm'], function: 'relu' },
      { kind: 'globalAveragePool2d', name: 'pool', inputs: ['relu'] },
      { kind: 'dense', name: 'logits', inputs: ['pool'], units: 3, useBias: true },
    ],
    outputs: { logits: 'logits', features: 'pool' },
    preprocessing: { resize: 'bilinear', mean: [0.5], standardDeviation: [0.5] },
  };
  const bytes = writeOnnx(initializeWeights(graph, createRandomStream(4, 'grouped')));
  for (const operator of ['Reshape', 'InstanceNormalization']) expect(Buffer.from(bytes).includes(operator)).toBe(true);
  writeFileSync(at('grouped.onnx'), bytes);
  const options = parseDistillationOptions({ teacher: at('grouped.onnx'), backend: 'cpu', steps: 2, batchSize: 8 });
  const events = await collect(options, { folder: at('run') });
  expect(events.find((event) => event.event === 'start')).toMatchObject({ initialization: 'teacher' });
  expect(events.flatMap((event) => (event.event === 'warning' ? event.code : []))).not.toContain('RANDOM_START');
  const { nodes } = readModel(readFileSync(at('run/student/student.safetensors')), 'student').graph;
  expect(nodes[0]).toMatchObject({ kind: 'conv2d', filters: 4 });
  expect(nodes[1]).toMatchObject({ kind: 'groupNorm', groups: 2 });
});

test('a time budget becomes a number of steps, which repeat the run without a clock', async () => {
  const options = optionsOf({ steps: undefined, timeBudgetMs: 2_000 });
  const events = await collect(options, { folder: at('run') });
  const prepared = events.find((event) => event.event === 'prepared')!;
  const record = (await readRunRecord(join(at('run'), 'run.json')))!;
  expect(prepared).toMatchObject({ timeBudgetMs: 2_000, steps: record.options.steps });
  expect(record).toMatchObject({
    options: expect.not.objectContaining({ timeBudgetMs: 2_000 }) as object,
    timings: { timeBudgetMs: 2_000 },
  });
  const changes = events.filter((event) => event.event === 'pace').map(({ step, steps }) => [step, steps]);
  expect(record.options.pace ?? []).toEqual(changes);
  const end = changes.at(-1)?.[1] ?? prepared.steps;
  expect(events.filter(({ event }) => event === 'step')).toHaveLength(end);
  const again = await resultOf(record.options, { folder: at('again') });
  expect(events.at(-1)).toMatchObject({ event: 'result', steps: end, studentSha256: again.studentSha256 });
});

test('a run whose length was changed goes on as it would have', async () => {
  const options = optionsOf({
    steps: 6,
    pace: [
      [2, 9],
      [4, 7],
    ],
  });
  const whole = await resultOf(options, { folder: at('whole') });
  const stop = new AbortController();
  for await (const event of runDistillation(options, { folder: at('parts'), signal: stop.signal })) {
    if (event.event === 'step' && event.step === 5) stop.abort();
  }
  const { steps, studentSha256 } = await resultOf(options, { folder: at('parts'), resume: true });
  expect([steps, studentSha256]).toEqual([7, whole.studentSha256]);
});

test('a student may be any share, of low rank, an architecture or a file', async () => {
  const small = at('small.safetensors');
  writeFileSync(small, writeModel(tinyTeacher({ name: 'small' })));
  for (const [student, name] of [
    [1, 'tiny-1'],
    ['quarter', 'tiny-quarter'],
    ['low-rank-0.9', 'tiny-low-rank'],
    [small, 'small'],
  ] as const) {
    const { student: made } = await resultOf(optionsOf({ student, steps: 1 }), { folder: at(`run-${name}`) });
    expect(made.graph.name).toBe(name);
  }
});

test('a student of low rank starts from its teacher, with small steps and the statistics that it has', async () => {
  const settings = { folder: at('run') };
  await resultOf(optionsOf({ student: 'low-rank-0.9', steps: 1 }), settings);
  const record = await readRunRecord(join(at('run'), 'run.json'));
  expect(record).toMatchObject({
    initialization: 'given',
    options: { studentBatchNorm: 'fixed', studentLearningRate: 1e-4 },
  });
});

test.each([{ preset: 'paper', latentSize: 4, generatorWidths: [4, 4, 4] }, { method: 'noise' }])(
  'and it does so with %j',
  async (changes) => {
    const options = { teacher, student: 'low-rank-0.9', backend: 'cpu', batchSize: 8, steps: 1, ...changes };
    await resultOf(parseDistillationOptions(options), { folder: at('run') });
    expect(await readRunRecord(join(at('run'), 'run.json'))).toMatchObject({ initialization: 'given' });
  },
);

test('a student of low rank may start from random weights', async () => {
  const options = optionsOf({ student: 'low-rank-0.9', steps: 1, initialization: 'random' });
  await resultOf(options, { folder: at('run') });
  expect(await readRunRecord(join(at('run'), 'run.json'))).toMatchObject({
    initialization: 'random',
    options: { studentBatchNorm: 'moving' },
  });
});
