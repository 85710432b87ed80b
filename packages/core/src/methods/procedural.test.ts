import { createCpuBackend } from '@dafl/backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import { normNode } from '../_testing/nodes.ts';
import { tinyGraph, trainTinyTeacher } from '../_testing/tiny-classifier.ts';
import type { Checkpoint } from '../checkpoint.ts';
import { distill, type DistillOptions } from '../distill.ts';
import type { ResultEvent } from '../distill-event.ts';
import { initializeWeights } from '../model/initialize-weights.ts';
import type { Model } from '../model/model.ts';
import { createNetwork } from '../model/network.ts';
import { argMaxRows } from '../predict.ts';
import { presets } from '../presets.ts';
import { createRandomStream } from '../random.ts';
import type { MethodSession } from './method.ts';
import { procedural } from './procedural.ts';

const backend = createCpuBackend();
let teacher: Model;
beforeAll(async () => {
  teacher = await trainTinyTeacher(backend);
});

const studentGraph = { ...tinyGraph([3, 8]), name: 'tiny-student' };
const method = procedural({ batchSize: 64, studentSteps: 2, pictures: 300 });

async function runSteps(changes: Partial<DistillOptions>): Promise<{ result: ResultEvent; checkpoint: Checkpoint }> {
  const { training } = presets.fast;
  const options = { backend, teacher, student: studentGraph, method, training, steps: 6, seed: 1, checkpointEvery: 3 };
  let checkpoint: Checkpoint | undefined;
  for await (const event of distill({ ...options, ...changes })) {
    if (event.event === 'checkpoint') checkpoint = event.checkpoint;
    if (event.event === 'result') return { result: event, checkpoint: checkpoint! };
  }
  throw new Error('no result');
}

const bytesOf = ({ weights }: Model): unknown => [...weights].map(([name, { data }]) => [name, [...data]]);

/** Works with a session that is freed afterwards. */
async function withSession(work: (session: MethodSession) => Promise<void>, steps = 20): Promise<void> {
  const before = backend.memory().tensors;
  const network = createNetwork(backend, teacher);
  const student = createNetwork(backend, initializeWeights(studentGraph, createRandomStream(5, 'student weights')));
  const createRandom = (purpose: string) => createRandomStream(1, purpose);
  const session = method.start({ backend, teacher: network, student, steps, createRandom });
  await work(session);
  session.dispose();
  student.dispose();
  network.dispose();
  expect(backend.memory().tensors).toBe(before);
}

describe('procedural', () => {
  it('shows the student the classes of the teacher equally often', async () => {
    await withSession(async (session) => {
      await session.step(0);
      const { images, teacherLogits } = await session.sample(createRandomStream(9, 'samples'));
      const labels = argMaxRows(await backend.read(teacherLogits), 4);
      const counts = [0, 1, 2, 3].map((label) => labels.filter((other) => other === label).length);
      expect(Math.min(...counts)).toBeGreaterThan(6);
      expect(Math.max(...counts)).toBeLessThan(28);
      backend.dispose(images);
      backend.dispose(teacherLogits);
    });
  });

  it('gives its own inputs the range of pixels, in the space of the teacher', async () => {
    await withSession(async (session) => {
      const { batches } = await session.step(0);
      expect(batches.map(({ images }) => images.shape)).toEqual([
        [64, 8, 8, 1],
        [64, 8, 8, 1],
      ]);
      const { mean, standardDeviation } = teacher.graph.preprocessing!;
      const values = await backend.read(batches[0].images);
      const pixels = Array.from(values, (value) => value * standardDeviation[0] + mean[0]);
      expect(Math.min(...pixels)).toBeGreaterThan(-1e-6);
      expect(Math.max(...pixels)).toBeLessThan(1 + 1e-6);
    });
  });

  it('draws no more pictures than a run shows, where that is less than some of each class', async () => {
    const network = createNetwork(backend, teacher);
    const createRandom = (purpose: string) => createRandomStream(1, purpose);
    const drawnIn = async (steps: number): Promise<number> => {
      const short = procedural({ batchSize: 4, studentSteps: 4, uses: 2, pictures: 300 });
      const session = short.start({ backend, teacher: network, student: network, steps, createRandom });
      await session.step(0);
      const { tensors } = await session.state();
      session.dispose();
      return tensors.get('answers')!.data.length;
    };
    // Two batches of four in each step; or sixteen of each of the four classes.
    expect([await drawnIn(1), await drawnIn(3), await drawnIn(12)]).toEqual([8, 24, 64]);
    network.dispose();
  });

  it('keeps more pictures in a long run than in a short one, unless it is told how many', async () => {
    const network = createNetwork(backend, teacher);
    const createRandom = (purpose: string) => createRandomStream(1, purpose);
    // The first 4,096 are drawn at once, all others in the course of the run, of which this is a sixtieth.
    const drawnLater = async (steps: number, pictures?: number): Promise<number> => {
      const long = procedural({ batchSize: 64, studentSteps: 4, uses: 4, pictures });
      const positionAt = (): number => steps / 60;
      const session = long.start({ backend, teacher: network, student: network, steps, positionAt, createRandom });
      await session.step(0);
      const { tensors } = await session.state();
      session.dispose();
      return tensors.get('answers')!.data.length - 4_096;
    };
    const [usual, long] = [await drawnLater(1_500), await drawnLater(6_000)];
    expect(usual).toBeGreaterThan(900);
    expect(long / usual).toBeCloseTo(2.1, 1);
    expect(await drawnLater(6_000, 20_000)).toBe(usual);
    network.dispose();
  });

  it('uses each batch as often as it is told, in turns', async () => {
    const network = createNetwork(backend, teacher);
    const createRandom = (purpose: string) => createRandomStream(1, purpose);
    const repeated = procedural({ batchSize: 8, studentSteps: 5, uses: 2, pictures: 300 });
    const session = repeated.start({ backend, teacher: network, student: network, steps: 20, createRandom });
    const { batches } = await session.step(0);
    const places = [...new Set(batches)];
    expect(batches.map((batch) => places.indexOf(batch))).toEqual([0, 1, 2, 0, 1]);
    session.dispose();
    network.dispose();
  });

  it('takes no more tensors in later steps than in the first ones', async () => {
    await withSession(async (session) => {
      await session.step(0);
      const { tensors } = backend.memory();
      for (let step = 1; step < 8; step++) await session.step(step);
      expect(backend.memory().tensors).toBe(tensors);
    });
  });

  it('goes on from a checkpoint to the very same student, and repeats itself by seed', async () => {
    const whole = await runSteps({});
    const resumed = await runSteps({ resume: whole.checkpoint });
    expect(bytesOf(resumed.result.student)).toEqual(bytesOf(whole.result.student));
    const other = await runSteps({ seed: 2 });
    expect(bytesOf(other.result.student)).not.toEqual(bytesOf(whole.result.student));
  });

  it('does so, too, where the teacher tells how strange pictures are to it', async () => {
    const graph = tinyGraph([4, 16]);
    const [conv, ...rest] = graph.nodes;
    const normed = {
      ...graph,
      nodes: [conv, { ...normNode('norm', 'conv') }, { ...rest[0], inputs: ['norm'] }, ...rest.slice(1)],
    };
    const strict = initializeWeights({ ...normed, name: 'normed' }, createRandomStream(3, 'weights'));
    const whole = await runSteps({ teacher: strict });
    const { tensors } = whole.checkpoint;
    expect(tensors.get('method/strangeness')!.shape).toEqual(tensors.get('method/answers')!.shape);
    const resumed = await runSteps({ teacher: strict, resume: whole.checkpoint });
    expect(bytesOf(resumed.result.student)).toEqual(bytesOf(whole.result.student));
  });

  it.each(['batchSize', 'studentSteps', 'uses'])('refuses %s that is undefined', (name) => {
    expect(() => procedural({ batchSize: 1, studentSteps: 1, uses: 1, [name]: undefined })).toThrow(
      `Cannot use method 'procedural' as '${name}' must be an integer >= 1: current value is undefined`,
    );
  });

  it.each(['batchSize', 'studentSteps', 'uses', 'pictures'])('refuses %s below 1', (name) => {
    expect(() => procedural({ batchSize: 1, studentSteps: 1, uses: 1, pictures: 1, [name]: 0 })).toThrow(
      `Cannot use method 'procedural' as '${name}' must be an integer >= 1: current value is 0`,
    );
  });
});
