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
import { createWhitened, type WhitenedLayer } from './optimizers/whitened.ts';
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

it('tells the optimizer what the layers read once they are fitted', async () => {
  const { model: inherited, channels } = inheritChannels(trained, shrink(trained.graph, 0.5));
  const [teacher, student] = [createNetwork(backend, trained), createNetwork(backend, inherited)];
  const optimizer = createWhitened(backend, student.trainableVariables, { kind: 'sgd' });
  const told: string[] = [];
  const whiten = async (layers: readonly WhitenedLayer[]): Promise<void> => {
    const { weights } = await student.toModel();
    for (const { name, size, transform, weights: whitened } of layers) {
      told.push(name);
      // The bias is the last row: [kernel; bias] = transformᵀ weights.
      const bias = [...weights.get(`${name}.bias`)!.data];
      const own = bias.map((_, column) => {
        let sum = 0;
        for (let at = 0; at < size; at++) sum += transform[at * size + size - 1] * whitened[at * bias.length + column];
        return sum;
      });
      own.forEach((value, column) => expect(value).toBeCloseTo(bias[column], 4));
    }
  };
  const checks: Promise<void>[] = [];
  const watched = { ...optimizer, whiten: (layers: readonly WhitenedLayer[]) => void checks.push(whiten(layers)) };
  const createRandom = (purpose: string) => createRandomStream(1, purpose);
  await prepareStudent({ teacher, student, channels, optimizer: watched, createRandom, turn: createTurn() });
  await Promise.all(checks);
  expect(told).toEqual(['conv', 'hidden', 'logits']);
  for (const owned of [teacher, student, optimizer]) owned.dispose();
});
