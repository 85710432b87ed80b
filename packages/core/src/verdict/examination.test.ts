import { createCpuBackend } from '@dafl/backend-cpu';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { tinyGraph, trainTinyTeacher } from '../_testing/tiny-classifier.ts';
import { initializeWeights } from '../model/initialize-weights.ts';
import type { Model } from '../model/model.ts';
import { createNetwork } from '../model/network.ts';
import { createRandomStream } from '../random.ts';
import { createTurn } from '../turn.ts';
import { Examination, type Marks } from './examination.ts';
import { judge } from './judge.ts';

const backend = createCpuBackend();
const turn = createTurn();
let teacherModel: Model;
beforeAll(async () => {
  teacherModel = await trainTinyTeacher(backend);
});
afterEach(() => expect(backend.memory().tensors).toBe(0));

async function examine(studentModel: Model): Promise<Marks> {
  const teacher = createNetwork(backend, teacherModel);
  const student = createNetwork(backend, studentModel);
  const createRandom = (purpose: string) => createRandomStream(0, purpose);
  const examination = await Examination.prepare({ teacher, steps: 400, createRandom, turn });
  const marks = await examination.examine(student, turn);
  student.dispose();
  teacher.dispose();
  return marks;
}

it('finds the teacher good, on pictures of all of its classes', async () => {
  const marks = await examine(teacherModel);
  expect(marks).toMatchObject({ agreement: 1, classAgreements: [1, 1, 1, 1] });
  expect(marks.pictures).toBeGreaterThan(120);
  expect(judge(marks, 1).level).toBe('good');
});

it('finds a student poor that knows nothing, or one class only', async () => {
  const untrained = initializeWeights(teacherModel.graph, createRandomStream(8, 'untrained'));
  expect(judge(await examine(untrained), 1).level).toBe('poor');
  const weights = new Map(teacherModel.weights);
  weights.set('logits.bias', { shape: [4], data: Float32Array.of(1e4, 0, 0, 0) });
  const marks = await examine({ graph: teacherModel.graph, weights });
  expect(marks.classAgreements).toEqual([1, 0, 0, 0]);
  expect(judge(marks, 1).level).toBe('poor');
});

it('gives the same marks each time', async () => {
  const untrained = initializeWeights(teacherModel.graph, createRandomStream(8, 'untrained'));
  expect(await examine(untrained)).toEqual(await examine(untrained));
});

it('draws no more for a run of a few steps of a large network than the run is worth', async () => {
  const network = createNetwork(backend, teacherModel);
  // Its answers are those of the small one; it says of itself that each takes 14 billion multiply-accumulates.
  const teacher = { ...network, graph: tinyGraph([60_000, 60_000]) };
  const picturesOf = async (steps: number): Promise<number> => {
    const createRandom = (purpose: string) => createRandomStream(0, purpose);
    const examination = await Examination.prepare({ teacher, steps, createRandom, turn });
    return (await examination.examine(network, turn)).pictures;
  };
  expect(await picturesOf(1)).toBeLessThanOrEqual(32);
  expect(await picturesOf(400)).toBeGreaterThan(120);
  network.dispose();
});
