import { createCpuBackend } from '@dafl/backend-cpu';
import { DaflError, type Model } from '@dafl/core';
import { describe, expect, it, vi } from 'vitest';
import { quarterImages, tinyGraph } from '../../core/src/_testing/tiny-classifier.ts';
import { train, type TrainEvent, type TrainOptions } from './train.ts';

const backend = createCpuBackend();
const options: TrainOptions = {
  backend,
  graph: tinyGraph([4, 16], 0.25),
  data: quarterImages(100, 1),
  optimizer: { kind: 'adam' },
  schedule: { kind: 'cosine', learningRate: 2e-2 },
  epochs: 3,
  batchSize: 32,
  augmentation: { shift: 1, horizontalFlip: false },
  seed: 1,
  clock: () => 0,
};

async function collect(given: TrainOptions): Promise<TrainEvent[]> {
  const events: TrainEvent[] = [];
  for await (const event of train(given)) events.push(event);
  return events;
}

function modelOf(events: readonly TrainEvent[]): Model {
  const last = events.at(-1)!;
  if (last.event !== 'result') throw new Error('Expected a result');
  return last.model;
}

describe('train', () => {
  it('learns, and tells of each step, each epoch and the result', async () => {
    const evaluation = quarterImages(100, 2);
    const events = await collect({ ...options, epochs: 12, evaluation });
    const epoch = ['step', 'step', 'step', 'evaluation'];
    const expected = [...Array.from({ length: 12 }, () => epoch).flat(), 'result'];
    expect(events.map(({ event }) => event)).toEqual(expected);
    const steps = events.filter((event) => event.event === 'step');
    expect(steps.map(({ step, steps, epoch }) => [step, steps, epoch]).slice(0, 4)).toEqual([
      [1, 36, 1],
      [2, 36, 1],
      [3, 36, 1],
      [4, 36, 2],
    ]);
    expect(steps.at(-1)!.losses.crossEntropy).toBeLessThan(steps[0].losses.crossEntropy / 2);
    const result = events.at(-1)!;
    expect(result).toMatchObject({ event: 'result', step: 36, steps: 36, seed: 1, backend: backend.description });
    expect(result.event === 'result' && result.accuracy).toBeGreaterThan(0.9);
    const evaluations = events.filter((event) => event.event === 'evaluation');
    expect(result.event === 'result' && result.accuracy).toBe(evaluations.at(-1)!.accuracy);
    expect(backend.memory().tensors).toBe(0);
  });

  it('shows each image both ways in two epochs, some mirrored in either', async () => {
    const uploads = vi.spyOn(backend, 'tensor');
    await collect({ ...options, augmentation: { shift: 0, horizontalFlip: true }, epochs: 2, batchSize: 25 });
    const batches = uploads.mock.calls.flatMap(([data, shape]) =>
      shape.length === 4 && shape[0] === 25 ? [data] : [],
    );
    uploads.mockRestore();
    const size = 8 * 8;
    const images = batches.flatMap((data) =>
      Array.from({ length: 25 }, (_, index) => data.slice(index * size, (index + 1) * size).join()),
    );
    const [first, second] = [images.slice(0, 100), images.slice(100)].map((epoch) => new Set(epoch));
    expect(first.size).toBe(100);
    expect(second.size).toBe(100);
    expect([...first].some((image) => second.has(image))).toBe(false);
  });

  it('gives the same model for the same seed, another for another seed', async () => {
    const first = modelOf(await collect(options));
    expect(modelOf(await collect(options))).toEqual(first);
    expect(modelOf(await collect({ ...options, seed: 2 }))).not.toEqual(first);
    expect(modelOf(await collect({ ...options, augmentation: undefined }))).not.toEqual(first);
  });

  it('does not depend on whether it is evaluated', async () => {
    const evaluation = quarterImages(20, 2);
    expect(modelOf(await collect({ ...options, evaluation }))).toEqual(modelOf(await collect(options)));
  });

  it('says what is wrong with the options', async () => {
    await expect(collect({ ...options, batchSize: 0 })).rejects.toThrow(
      "Cannot train as 'batchSize' must be an integer >= 1: current value is 0",
    );
    await expect(collect({ ...options, epochs: 1.5 })).rejects.toThrow(
      "Cannot train as 'epochs' must be an integer >= 1: current value is 1.5",
    );
  });

  it('says what is wrong with the data', async () => {
    const data = quarterImages(20, 1);
    await expect(collect({ ...options, data: { ...data, labels: undefined } })).rejects.toThrow(
      'Cannot train as the images must have labels: current value is none',
    );
    await expect(collect({ ...options, data })).rejects.toThrow(
      'Cannot train as there must be at least 32 images: current value is 20',
    );
  });

  it('stops at a loss that is no number, and frees everything', async () => {
    const wild: TrainOptions = { ...options, epochs: 20, schedule: { kind: 'constant', learningRate: 1e30 } };
    const failure = await collect(wild).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(DaflError);
    expect(failure).toMatchObject({ code: 'NON_FINITE' });
    expect((failure as DaflError).message).toMatch(
      /^Cannot go on with step \d+ as the crossEntropy loss must be finite: current value is (NaN|Infinity)\. Lower the learning rate$/,
    );
    expect(backend.memory().tensors).toBe(0);
  });

  it('frees everything when the loop is left or aborted', async () => {
    for await (const event of train(options)) if (event.event === 'step' && event.step === 2) break;
    expect(backend.memory().tensors).toBe(0);
    const reason = new Error('enough');
    await expect(collect({ ...options, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(backend.memory().tensors).toBe(0);
  });
});
