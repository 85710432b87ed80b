import { createCpuBackend } from '@dafl/backend-cpu';
import {
  createNetwork,
  createRandomStream,
  type Method,
  type MethodStep,
  type Model,
  predictLogits,
  shrink,
  initializeWeights,
  softmaxRows,
  type StudentBatch,
} from '@dafl/core';
import { Variable } from '@dafl/core/autodiff';
import { afterEach, describe, expect, test } from 'vitest';
import { tinyTeacher } from '../../../test-fixtures/tiny-teacher.ts';
import { dfad } from './dfad.ts';
import { dfq } from './dfq.ts';
import { invert, type InversionOptions } from './_invert.ts';
import { orthonormalRows } from './_orthonormal-rows.ts';
import { PastStatistics } from './_past-statistics.ts';
import { zskt } from './zskt.ts';

/**
 * What the methods make of their losses, worked out on the host from the images that they give. The losses themselves have
 * golden values: test-fixtures/golden/losses.json.
 */
const backend = createCpuBackend();
afterEach(() => expect(backend.memory().tensors).toBe(0));

const teacher = tinyTeacher();
const student: Model = initializeWeights(shrink(teacher.graph, 0.5), createRandomStream(5, 'student'));
const options = {
  batchSize: 8,
  generator: { latentSize: 4, widths: [4, 4, 2] },
  generatorSchedule: { kind: 'constant', learningRate: 1e-3 },
  studentSteps: 3,
} as const;

/** A batch that a step gave, read. */
interface Read {
  readonly images: readonly number[];
  readonly teacherLogits: readonly number[];
  readonly studentLogits: readonly number[];
  readonly loss: StudentBatch['loss'];
}

/** Runs steps and reads what the last one gave. */
async function lastOf(method: Method, steps: number): Promise<{ losses: Record<string, number>; batches: Read[] }> {
  const networks = [teacher, student].map((model) => createNetwork(backend, model));
  const session = method.start({
    backend,
    teacher: networks[0],
    student: networks[1],
    steps,
    createRandom: (purpose) => createRandomStream(1, purpose),
  });
  let last: MethodStep | undefined;
  const losses: Record<string, number> = {};
  for (let step = 0; step < steps; step++) {
    last = await session.step(step);
    for (const [name, loss] of Object.entries(last.losses)) {
      [losses[name]] = await backend.read(loss);
      backend.dispose(loss);
    }
  }
  const batches: Read[] = [];
  for (const { images, teacherLogits, loss } of last!.batches) {
    batches.push({
      images: Array.from(await backend.read(images)),
      teacherLogits: Array.from(await backend.read(teacherLogits!)),
      studentLogits: Array.from(await predictLogits(networks[1], images)),
      loss,
    });
  }
  session.dispose();
  for (const network of networks) network.dispose();
  return { losses, batches };
}

function divergence({ teacherLogits, studentLogits }: Read): number {
  const [p, q] = [softmaxRows(teacherLogits, 3), softmaxRows(studentLogits, 3)];
  return p.reduce((sum, value, index) => sum + value * Math.log(value / q[index]), 0) / 8;
}

describe('zskt', () => {
  test('sends the generator along minus the divergence, and shows the student that same batch several times', async () => {
    const { losses, batches } = await lastOf(zskt({ ...options, attentionWeight: 250 }), 1);
    expect(Object.keys(losses)).toEqual(['adversarial']);
    expect(losses.adversarial).toBeCloseTo(-divergence(batches[0]), 5);
    expect(batches).toHaveLength(3);
    for (const batch of batches) expect(batch.images).toEqual(batches[0].images);
    expect(batches[0].loss).toEqual({ kind: 'divergence', temperature: 1, attentionWeight: 250 });
  });
});

describe('dfad', () => {
  test('lets the student go first, on fresh batches that are compared by L1', async () => {
    const first = await lastOf(dfad(options), 1);
    expect(first.losses).toEqual({});
    expect(new Set(first.batches.map(({ images }) => images.join())).size).toBe(3);
    for (const { loss } of first.batches) expect(loss).toEqual({ kind: 'l1' });
    const { losses } = await lastOf(dfad(options), 2);
    expect(Object.keys(losses)).toEqual(['adversarial']);
    expect(losses.adversarial).toBeLessThan(0);
  });
});

describe('dfq', () => {
  test('has four terms where the teacher has batch norms, three elsewhere, and fresh batches', async () => {
    const { losses, batches } = await lastOf(dfq(options), 1);
    expect(Object.keys(losses)).toEqual(['oneHot', 'informationEntropy', 'adversarial']);
    expect(losses.adversarial).toBeLessThan(0);
    expect(losses.oneHot).toBeGreaterThan(0);
    expect(new Set(batches.map(({ images }) => images.join())).size).toBe(3);
  });
});

describe('deep inversion', () => {
  /** Trains one pixel image by a rate so high that later iterations are worse. */
  async function kept(iterations: number, learningRate: number): Promise<{ images: number[]; label: number }> {
    const networks = [teacher, student].map((model) => createNetwork(backend, model));
    const start = backend.tensor(createRandomStream(3, 'pixels').normal(64), [1, 8, 8, 1]);
    const pixels = new Variable(backend, 'pixels', start, true);
    const labels = backend.tensor(Int32Array.of(1), [1]);
    const inversion: InversionOptions = {
      context: { backend, teacher: networks[0], student: networks[1] },
      render: (tape) => tape.leaf(pixels.tensor),
      trained: [
        {
          variables: [pixels],
          learningRate,
          optimizer: {
            apply([gradient], rate) {
              const step = backend.affine(gradient, rate, 0);
              // Uphill: the first images are the best ones.
              pixels.assign(backend.binary('add', pixels.tensor, step));
              for (const tensor of [gradient, step]) backend.dispose(tensor);
            },
            state: async () => ({ step: 0, tensors: new Map() }),
            restore: () => undefined,
            dispose: () => undefined,
          },
        },
      ],
      labels,
      weights: { label: 1 },
      iterations,
      moves: () => [{ down: 0, right: 0, isFlipped: false }],
      edge: 'wrap',
    };
    const { images, losses, moments } = await invert(inversion);
    const result = { images: Array.from(await backend.read(images)), label: (await backend.read(losses.label))[0] };
    for (const tensor of [images, labels, ...Object.values(losses), ...moments.values()]) backend.dispose(tensor);
    pixels.dispose();
    for (const network of networks) network.dispose();
    return result;
  }

  test('keeps the images of the least loss as they were, whatever becomes of the pixels later', async () => {
    const [once, often] = [await kept(1, 5), await kept(6, 5)];
    expect(often.label).toBeGreaterThan(once.label);
    expect(often.images).toEqual(once.images);
  });
});

describe('statistics of the batches before', () => {
  test('move by a tenth with each batch, and are those of the first to begin with', async () => {
    // Worked out by hand: 0.9 x [2.5, 0.1] + 0.1 x [3, 0], and 0.9 x [3, 0.8] + 0.1 x [3.5, 0.5].
    const past = new PastStatistics(backend, 0.9);
    const upload = (...values: number[]) => backend.tensor(Float32Array.from(values), [2, 2]);
    past.take(new Map([['norm', upload(2.5, 0.1, 3, 0.8)]]));
    past.take(new Map([['norm', upload(3, 0, 3.5, 0.5)]]));
    const [[name, { data }]] = await past.state();
    expect(name).toBe('norm');
    [2.55, 0.09, 3.05, 0.77].forEach((value, index) => expect(data[index]).toBeCloseTo(value, 6));
    past.dispose();
  });
});

describe('nayer', () => {
  test.each([
    [3, 3],
    [10, 16],
    [100, 100],
  ])('has %d embeddings of length %d that are at right angles', (rows, columns) => {
    const table = orthonormalRows(createRandomStream(1, 'embeddings'), rows, columns);
    for (let first = 0; first < rows; first++) {
      for (let second = 0; second <= first; second++) {
        let product = 0;
        for (let column = 0; column < columns; column++)
          product += table[first * columns + column] * table[second * columns + column];
        expect(Math.abs(product - (first === second ? 1 : 0))).toBeLessThan(1e-5);
      }
    }
  });
});
