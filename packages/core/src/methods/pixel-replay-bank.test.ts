import { createCpuBackend } from '@dafl/backend-cpu';
import { afterEach, describe, expect, it } from 'vitest';
import type { Classifier } from '../model/classifier.ts';
import type { AnsweredBatch } from './method.ts';
import { PixelReplayBank } from './pixel-replay-bank.ts';

const backend = createCpuBackend();
afterEach(() => expect(backend.memory().tensors).toBe(0));

const classifier: Classifier = {
  inputShape: [1, 2, 1],
  classes: 3,
  preprocessing: { mean: [0.5], standardDeviation: [0.25] },
} as unknown as Classifier;

/** Two images of one grey each, in the teacher's input space. */
function batchOf(pixel: number): AnsweredBatch {
  return {
    images: backend.fill([2, 1, 2, 1], (pixel / 255 - 0.5) / 0.25),
    teacherLogits: backend.tensor(Float32Array.of(pixel, 0, 0, -pixel, 0, 0), [2, 3]),
  };
}

const bankOf = (capacity: number, batchSize = 2): PixelReplayBank =>
  new PixelReplayBank(backend, { capacity, batchSize, classifier });

async function contentOf(bank: PixelReplayBank): Promise<[grey: number, logit: number][]> {
  const content: [number, number][] = [];
  for (let index = 0; index < bank.size; index++) {
    const { images, teacherLogits } = bank.at(index);
    const [value] = await backend.read(images);
    content.push([Math.round((value * 0.25 + 0.5) * 255), (await backend.read(teacherLogits))[0]]);
  }
  bank.release();
  return content;
}

describe('PixelReplayBank', () => {
  it('keeps the newest batches, and no tensor once they are released', async () => {
    const bank = bankOf(3);
    expect(bank.size).toBe(0);
    for (let pixel = 1; pixel <= 5; pixel++) {
      await bank.add(batchOf(50 * pixel));
      expect([bank.size, backend.memory().tensors]).toEqual([Math.min(pixel, 3), 0]);
    }
    expect(await contentOf(bank)).toEqual([
      [150, 150],
      [200, 200],
      [250, 250],
    ]);
    bank.dispose();
  });

  it('gives a batch that is drawn twice once', async () => {
    const bank = bankOf(2);
    await bank.add(batchOf(7));
    expect(bank.at(0)).toBe(bank.at(0));
    expect(backend.memory().tensors).toBe(2);
    bank.dispose();
  });

  it('leaves a batch as it is while others are drawn', async () => {
    const bank = bankOf(2);
    for (const pixel of [10, 200]) await bank.add(batchOf(pixel));
    const [first, second] = [bank.at(0), bank.at(1)];
    const greys = await Promise.all([first, second].map(async ({ images }) => (await backend.read(images))[0]));
    expect(greys.map((value) => Math.round((value * 0.25 + 0.5) * 255))).toEqual([10, 200]);
    bank.dispose();
  });

  it('brings pixels back within half a step of eight bits, and what is no pixel to the nearest', async () => {
    const bank = bankOf(1, 1);
    const images = backend.tensor(Float32Array.of(0.1234, 9), [1, 1, 2, 1]);
    await bank.add({ images, teacherLogits: backend.fill([1, 3], 0) });
    const [first, second] = await backend.read(bank.at(0).images);
    expect(Math.abs(first - 0.1234)).toBeLessThan(0.5 / 255 / 0.25);
    expect(second).toBeCloseTo(2, 6);
    bank.dispose();
  });

  it('goes on from its parts as if nothing had happened', async () => {
    const bank = bankOf(2);
    for (const pixel of [10, 20, 30]) await bank.add(batchOf(pixel));
    const restored = bankOf(2);
    await restored.add(batchOf(99));
    await restored.restore(bank.parts());
    for (const each of [bank, restored]) await each.add(batchOf(40));
    expect(restored.parts().map(({ id }) => id)).toEqual(['replay-00000002', 'replay-00000003']);
    expect(bank.parts().map(({ id }) => id)).toEqual(['replay-00000002', 'replay-00000003']);
    expect(await contentOf(restored)).toEqual(await contentOf(bank));
    for (const each of [bank, restored]) each.dispose();
  });
});
