import { createCpuBackend } from '@dafl/backend-cpu';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { quarterImages, tinyGraph, trainTinyTeacher } from './_testing/tiny-classifier.ts';
import { evaluate } from './evaluate.ts';
import { prepareStudent } from './prepare-student.ts';
import { inheritChannels } from './model/inherit-weights.ts';
import { initializeWeights } from './model/initialize-weights.ts';
import { createNetwork } from './model/network.ts';
import type { Model } from './model/model.ts';
import { shrink } from './model/shrink.ts';
import { createRandomStream } from './random.ts';
import { createTurn } from './turn.ts';

const backend = createCpuBackend({ precision: 'float32' });
afterEach(() => expect(backend.memory().tensors).toBe(0));
let trained: Model;
beforeAll(async () => void (trained = await trainTinyTeacher(backend)));

/** A quarter of a teacher: its accuracy before and after the fit. */
async function fit(model: Model): Promise<{ before: number; after: number }> {
  const { model: inherited, channels } = inheritChannels(model, shrink(model.graph, 0.25));
  const [teacher, student] = [createNetwork(backend, model), createNetwork(backend, inherited)];
  const accuracy = async (): Promise<number> => (await evaluate(student, quarterImages(200, 9))).accuracy;
  try {
    const before = await accuracy();
    const createRandom = (purpose: string) => createRandomStream(1, purpose);
    await prepareStudent({ teacher, student, channels, createRandom, turn: createTurn() });
    return { before, after: await accuracy() };
  } finally {
    for (const network of [teacher, student]) network.dispose();
  }
}

it('brings a student near its teacher by drawn pictures alone', async () => {
  const { before, after } = await fit(trained);
  expect(after).toBeGreaterThan(before);
  expect(after).toBeGreaterThan(0.9);
});

it('leaves a student as it is where pictures of too few classes are found', async () => {
  const graph = tinyGraph();
  const last = graph.nodes.at(-1)!;
  const nodes = [...graph.nodes.slice(0, -1), { ...last, units: 700 } as typeof last];
  const model = initializeWeights({ ...graph, nodes }, createRandomStream(3, 'weights'));
  const { model: inherited, channels } = inheritChannels(model, shrink(model.graph, 0.5));
  const [teacher, student] = [createNetwork(backend, model), createNetwork(backend, inherited)];
  const createRandom = (purpose: string) => createRandomStream(1, purpose);
  await prepareStudent({ teacher, student, channels, createRandom, turn: createTurn() });
  expect((await student.toModel()).weights).toEqual(inherited.weights);
  for (const network of [teacher, student]) network.dispose();
});
