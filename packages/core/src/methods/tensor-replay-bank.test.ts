import { createCpuBackend } from '@dafl/backend-cpu';
import { afterEach, describe, expect, it } from 'vitest';
import type { TensorBackend } from '../backend.ts';
import type { AnsweredBatch } from './method.ts';
import { type ReplayShapes, TensorReplayBank } from './tensor-replay-bank.ts';

const backend = createCpuBackend();
afterEach(() => expect(backend.memory().tensors).toBe(0));

function batchOf(value: number): AnsweredBatch {
  return { images: backend.fill([1, 2], value), teacherLogits: backend.fill([1, 3], -value) };
}

const shapes: ReplayShapes = { images: [1, 2], teacherLogits: [1, 3] };

async function contentOf(bank: TensorReplayBank): Promise<number[]> {
  const values: number[] = [];
  for (let index = 0; index < bank.size; index++) values.push((await backend.read(bank.at(index).images))[0]);
  return values;
}

describe('TensorReplayBank', () => {
  it('says how large it is where there is no memory for it, and gives back what it took', () => {
    let left = 3;
    const fill: typeof backend.fill = () => {
      if (left-- === 0) throw Object.assign(new Error('full'), { code: 'OUT_OF_MEMORY' });
      return backend.fill([1], 0);
    };
    const small = { fill, dispose: (tensor) => backend.dispose(tensor) } as Pick<TensorBackend, 'fill' | 'dispose'>;
    expect(
      () => new TensorReplayBank(small as TensorBackend, 40, { images: [256, 64, 64, 3], teacherLogits: [256, 10] }),
    ).toThrow("Cannot replay as all of 'replayBatches' must fit into memory: current value is 40, which takes 0.5 GiB");
  });

  it('keeps the newest batches, in the memory that it took at the start', async () => {
    const bank = new TensorReplayBank(backend, 3, shapes);
    expect(bank.size).toBe(0);
    for (let value = 1; value <= 5; value++) {
      bank.add(batchOf(value));
      expect(bank.size).toBe(Math.min(value, 3));
      expect(backend.memory().tensors).toBe(6);
    }
    expect(await contentOf(bank)).toEqual([3, 4, 5]);
    bank.dispose();
  });

  it('names its parts for good, so that each is stored once', () => {
    const bank = new TensorReplayBank(backend, 2, shapes);
    const idsAfter = (value: number): string[] => {
      bank.add(batchOf(value));
      return bank.parts().map(({ id }) => id);
    };
    expect([idsAfter(1), idsAfter(2), idsAfter(3)]).toEqual([
      ['replay-00000000'],
      ['replay-00000000', 'replay-00000001'],
      ['replay-00000001', 'replay-00000002'],
    ]);
    bank.dispose();
  });

  it('goes on from its parts as if nothing had happened', async () => {
    const bank = new TensorReplayBank(backend, 2, shapes);
    for (const value of [1, 2, 3]) bank.add(batchOf(value));
    const restored = new TensorReplayBank(backend, 2, shapes);
    // What it holds already must go.
    restored.add(batchOf(9));
    await restored.restore(bank.parts());
    expect(await contentOf(restored)).toEqual(await contentOf(bank));
    for (const each of [bank, restored]) each.add(batchOf(4));
    expect(restored.parts().map(({ id }) => id)).toEqual(bank.parts().map(({ id }) => id));
    expect(await contentOf(restored)).toEqual([3, 4]);
    const [part] = restored.parts();
    expect([...(await part.read())]).toEqual([
      ['images', { shape: [1, 2], data: Float32Array.of(3, 3) }],
      ['teacherLogits', { shape: [1, 3], data: Float32Array.of(-3, -3, -3) }],
    ]);
    bank.dispose();
    restored.dispose();
  });
});
