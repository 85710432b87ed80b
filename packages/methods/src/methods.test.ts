import { createCpuBackend } from '@dafl/backend-cpu';
import {
  type Checkpoint,
  createNetwork,
  createRandomStream,
  distill,
  type DistillEvent,
  type ImageSet,
  type Method,
  presets,
  type ResultEvent,
  shrink,
} from '@dafl/core';
import { afterEach, describe, expect, test } from 'vitest';
import { tinyImages, tinyTeacher } from '../../../test-fixtures/tiny-teacher.ts';
import { imageSet } from './image-set.ts';
import type { MetadataVariant } from './metadata/metadata.ts';
import { metadataVariants } from './metadata/metadata.ts';
import { reconstruction } from './metadata/reconstruction.ts';
import { recordMetadata } from './metadata/record-metadata.ts';
import { noise } from './noise.ts';

const backend = createCpuBackend();
afterEach(() => expect(backend.memory().tensors).toBe(0));

const teacher = tinyTeacher();
const images = tinyImages({ count: 40 });
const given = (changes: Partial<Parameters<typeof imageSet>[0]> = {}): Method =>
  imageSet({
    name: 'original-data',
    images,
    fingerprint: 'tiny',
    batchSize: 8,
    augmentation: { shift: 1, horizontalFlip: true },
    ...changes,
  });
const metadata = await recordMetadata({ backend, teacher, images });
const reconstructed = (variant: MetadataVariant): Method =>
  reconstruction({
    metadata,
    fingerprint: 'tiny',
    variant,
    batchSize: 6,
    iterations: 4,
    learningRate: 0.1,
    studentSteps: 2,
  });

const methods: readonly (readonly [string, () => Method])[] = [
  ['noise', () => noise({ batchSize: 8 })],
  ['given images', () => given()],
  ...metadataVariants.map((variant) => [variant, () => reconstructed(variant)] as const),
];

async function run(
  method: Method,
  steps: number,
  more: { readonly resume?: Checkpoint; readonly signal?: AbortSignal; readonly seed?: number } = {},
): Promise<DistillEvent[]> {
  const { training } = presets.fast;
  const student = shrink(teacher.graph, 0.5);
  const events: DistillEvent[] = [];
  for await (const event of distill({ backend, teacher, student, method, training, steps, seed: 1, ...more }))
    events.push(event);
  return events;
}

function weightsOf(events: readonly DistillEvent[]): unknown {
  return [...(events.at(-1) as ResultEvent).student.weights];
}

describe.each(methods)('%s', (_, create) => {
  test('brings the student to a result, the same for the same seed', async () => {
    const first = await run(create(), 4);
    expect(first.at(-1)).toMatchObject({ event: 'result', steps: 4 });
    expect(weightsOf(await run(create(), 4))).toEqual(weightsOf(first));
    expect(weightsOf(await run(create(), 4, { seed: 2 }))).not.toEqual(weightsOf(first));
  });

  test('goes on from a checkpoint to the very same student', async () => {
    const whole = await run(create(), 6);
    let checkpoint: Checkpoint | undefined;
    const { training } = presets.fast;
    const student = shrink(teacher.graph, 0.5);
    const options = { backend, teacher, student, method: create(), training, steps: 6, seed: 1, checkpointEvery: 3 };
    for await (const event of distill(options)) {
      if (event.event !== 'checkpoint') continue;
      const parts = await Promise.all(
        event.checkpoint.parts.map(async (part) => {
          const tensors = await part.read();
          return { id: part.id, read: async () => tensors };
        }),
      );
      checkpoint = { ...event.checkpoint, parts };
      break;
    }
    expect(weightsOf(await run(create(), 6, { resume: checkpoint }))).toEqual(weightsOf(whole));
  });
});

test('given images are all seen once before one is seen again', async () => {
  // Grey levels tell the images apart; the teacher sees them through its own preprocessing.
  const count = 12;
  const pixels = Uint8Array.from({ length: count * 64 }, (_, index) => Math.floor(index / 64) * 20);
  const levels: ImageSet = { height: 8, width: 8, channels: 1, count, pixels };
  const seen: number[] = [];
  const network = createNetwork(backend, teacher);
  const createRandom = (purpose: string) => createRandomStream(1, purpose);
  const method = given({ images: levels, batchSize: 4, augmentation: { shift: 0, horizontalFlip: false } });
  const session = method.start({ backend, teacher: network, student: network, steps: 6, createRandom });
  for (let step = 0; step < 6; step++) {
    const [batch] = (await session.step(step)).batches;
    const data = await backend.read(batch.images);
    for (let image = 0; image < 4; image++) seen.push(data[image * 64]);
  }
  session.dispose();
  network.dispose();
  expect(seen).toHaveLength(24);
  expect(new Set(seen.slice(0, 12)).size).toBe(12);
  expect(new Set(seen.slice(12)).size).toBe(12);
  expect(seen.slice(0, 12)).not.toEqual(seen.slice(12));
});

const options = {
  metadata,
  fingerprint: 'tiny',
  variant: 'top-layer',
  batchSize: 6,
  iterations: 4,
  learningRate: 0.1,
  studentSteps: 2,
} as const;

test.each(metadataVariants)(
  'more updates bring reconstructed images closer to what was recorded: %s',
  async (variant) => {
    const distanceAfter = async (iterations: number): Promise<number> => {
      const method = reconstruction({ ...options, variant, iterations });
      const step = (await run(method, 1)).find(({ event }) => event === 'step');
      return (step as { losses: Record<string, number> }).losses.reconstruction;
    };
    expect(await distanceAfter(30)).toBeLessThan((await distanceAfter(1)) * 0.8);
  },
);

describe('bad input', () => {
  test.each([
    [
      () => noise({ batchSize: 0 }),
      "Cannot use method 'noise' as 'batchSize' must be an integer >= 1: current value is 0",
    ],
    [
      () => given({ batchSize: 1.5 }),
      "Cannot use method 'original-data' as 'batchSize' must be an integer >= 1: current value is 1.5",
    ],
    [
      () => given({ images: { ...images, count: 0 } }),
      "Cannot use method 'original-data' as there must be images: found none",
    ],
    [
      () => reconstruction({ ...options, iterations: 0 }),
      "Cannot use method 'metadata' as 'iterations' must be an integer >= 1: current value is 0",
    ],
    [
      () => reconstruction({ ...options, learningRate: 0 }),
      "Cannot use method 'metadata' as 'learningRate' must be > 0: current value is 0",
    ],
  ])('%#', (create, message) => {
    expect(create).toThrow(message);
  });
  test('metadata of another network are refused', async () => {
    const other = reconstruction({ ...options, metadata: { ...metadata, classes: 4 } });
    await expect(run(other, 1)).rejects.toThrow(/^Cannot use metadata as they must be of 'tiny'/);
  });

  test.each([
    [{ ...images, labels: undefined }, /the images must have labels/],
    [{ ...images, labels: new Uint32Array(images.count).fill(9) }, /labels must be in 0\.\.2: current value is 9/],
    [{ ...images, labels: new Uint32Array(images.count) }, /class 1 must have at least 2 images: current value is 0/],
  ])('what cannot be recorded is told', async (bad, message) => {
    await expect(recordMetadata({ backend, teacher, images: bad })).rejects.toThrow(message);
  });
});
