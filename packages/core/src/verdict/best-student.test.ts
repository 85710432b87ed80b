import { createCpuBackend } from '@dafl/backend-cpu';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { collectEvents, runToResult, tinyRun } from '../_testing/tiny-run.ts';
import { trainTinyTeacher } from '../_testing/tiny-classifier.ts';
import type { Checkpoint } from '../checkpoint.ts';
import type { DistillEvent } from '../distill-event.ts';
import { distill, type DistillOptions } from '../distill.ts';
import type { HostTensor, Model } from '../model/model.ts';
import { BestStudent } from './best-student.ts';

const marksOf = (agreement: number, pictures = 640) => ({
  pictures,
  agreement,
  classAgreements: [agreement],
  clearAgreement: agreement,
});
const weightsOf = (value: number): ReadonlyMap<string, HostTensor> =>
  new Map([['w', { shape: [1], data: Float32Array.of(value) }]]);

describe('BestStudent', () => {
  it.each([
    // Three points, or three standard errors: 0.036 at 90 % of 640 pictures, 0.08 of 128.
    { best: 0.9, last: 0.85, pictures: 640, isTaken: true },
    { best: 0.9, last: 0.87, pictures: 640, isTaken: false },
    { best: 0.9, last: 0.85, pictures: 128, isTaken: false },
    { best: 0.9, last: 0.8, pictures: 128, isTaken: true },
    { best: 1, last: 0.98, pictures: 640, isTaken: false },
    { best: 1, last: 0.96, pictures: 640, isTaken: true },
    { best: 0.5, last: 0.9, pictures: 640, isTaken: false },
  ])('is taken in place of the last one where that is clearly worse: %o', async ({ best, last, pictures, isTaken }) => {
    const student = new BestStudent();
    await student.offer(10, marksOf(best, pictures), async () => weightsOf(1));
    const taken = student.insteadOf(marksOf(last, pictures));
    expect(taken?.step).toBe(isTaken ? 10 : undefined);
  });

  it('is the first of equals, and survives a checkpoint', async () => {
    const student = new BestStudent();
    for (const [step, agreement] of [
      [0, 0.2],
      [10, 0.9],
      [20, 0.9],
      [30, 0.4],
    ])
      await student.offer(step, marksOf(agreement), async () => weightsOf(step));
    const { counters, tensors } = student.state();
    const restored = new BestStudent();
    restored.restore({ version: 1, step: 30, fingerprint: '', counters, tensors, parts: [] });
    expect(restored.insteadOf(marksOf(0.4))).toMatchObject({ step: 10, weights: weightsOf(10) });
    expect(restored.state()).toEqual(student.state());
  });
});

describe('a run that is judged on its way', () => {
  const backend = createCpuBackend();
  let teacher: Model;
  beforeAll(async () => {
    teacher = await trainTinyTeacher(backend);
  });
  afterEach(() => expect(backend.memory().tensors).toBe(0));

  /** A student that is its teacher, until it is torn away. */
  function spoilt(changes: Partial<DistillOptions> = {}): DistillOptions {
    const schedule = { kind: 'constant', learningRate: 3 } as const;
    const options = tinyRun(backend, teacher, { steps: 5, training: { schedule, initialization: 'teacher' } });
    return { ...options, student: teacher.graph, judges: true, judgeEvery: 2, ...changes };
  }

  it('tells the verdict at each point, before the first step and after the last', async () => {
    const events = await collectEvents(spoilt({ sampleEvery: 2, checkpointEvery: 2 }));
    const told = events.filter(({ event }) => event !== 'warning' && event !== 'step');
    expect(told.map((event) => ('step' in event ? `${event.event} ${event.step}` : event.event))).toEqual([
      'start',
      'verdict 0',
      'verdict 2',
      'samples 2',
      'checkpoint 2',
      'verdict 4',
      'samples 4',
      'checkpoint 4',
      'student 5',
      'checkpoint 5',
      'verdict 5',
      'samples 5',
      'result 5',
    ]);
    expect(events.find(({ event }) => event === 'verdict')).toMatchObject({ verdict: { level: 'good', agreement: 1 } });
  });

  it('comes out with the student of the last step, unless it is to keep the best', async () => {
    const last = await runToResult(spoilt());
    expect(last).toMatchObject({ keptStep: 5, verdict: { level: 'poor' } });
    const best = await runToResult(spoilt({ keeps: 'best' }));
    expect(best).toMatchObject({ keptStep: 0, verdict: { level: 'good', agreement: 1 } });
    expect(best.student.weights).toEqual(teacher.weights);
  });

  it('is not changed by it where the last student is as good', async () => {
    const options = tinyRun(backend, teacher, { steps: 4 });
    const plain = await runToResult(options);
    const judged = await runToResult({ ...options, judges: true, judgeEvery: 1, keeps: 'best' });
    expect(judged.keptStep).toBe(4);
    expect(judged.student).toEqual(plain.student);
  });

  it('keeps the same student from every checkpoint on', async () => {
    const options = spoilt({ keeps: 'best', checkpointEvery: 1 });
    const checkpoints: Checkpoint[] = [];
    const events: DistillEvent[] = [];
    for await (const event of distill(options)) {
      events.push(event);
      if (event.event !== 'checkpoint') continue;
      const parts = await Promise.all(
        event.checkpoint.parts.map(async (part) => {
          const tensors = await part.read();
          return { id: part.id, read: async () => tensors };
        }),
      );
      checkpoints.push({ ...event.checkpoint, parts });
    }
    const result = events.at(-1);
    const students = events.flatMap((event) => (event.event === 'student' ? [event.step] : []));
    expect(students).toEqual([5, 0]);
    expect(checkpoints).toHaveLength(5);
    for (const resume of checkpoints) expect((await collectEvents({ ...options, resume })).at(-1)).toEqual(result);
  });

  it('leaves the choice to whoever goes on, where it is interrupted before it', async () => {
    const controller = new AbortController();
    let last: DistillEvent | undefined;
    for await (const event of distill(spoilt({ keeps: 'best', signal: controller.signal }))) {
      // Before the last judgement, which is then left to whoever goes on.
      if (event.event === 'checkpoint') controller.abort();
      last = event;
    }
    expect(last).toEqual({ event: 'interrupted', step: 5, steps: 5 });
  });
});
