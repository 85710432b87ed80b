import { createCpuBackend } from '@dafl/backend-cpu';
import {
  type Checkpoint,
  createNetwork,
  createRandomStream,
  distill,
  type DistillEvent,
  type DistillOptions,
  type ImageSet,
  initializeWeights,
  type Method,
  type MethodSession,
  type Model,
  type ModelNode,
  presets,
  type ResultEvent,
  shrink,
} from '@dafl/core';
import { afterEach, describe, expect, test } from 'vitest';
import { tinyImages, tinyTeacher } from '../../../test-fixtures/tiny-teacher.ts';
import { deepInversion, type DeepInversionOptions } from './deep-inversion.ts';
import { dfad } from './dfad.ts';
import { dfq } from './dfq.ts';
import { imageSet } from './image-set.ts';
import type { MetadataVariant } from './metadata/metadata.ts';
import { metadataVariants } from './metadata/metadata.ts';
import { reconstruction } from './metadata/reconstruction.ts';
import { recordMetadata } from './metadata/record-metadata.ts';
import { nayer, type NayerOptions } from './nayer.ts';
import { noise } from './noise.ts';
import { pool, type PoolMethodOptions } from './pool.ts';
import { zskt } from './zskt.ts';

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

/** The tiny teacher with a batch norm behind its convolution, as if it had been trained. */
function normalizedTeacher(): Model {
  const { graph } = teacher;
  const nodes = graph.nodes.flatMap((node): ModelNode[] =>
    node.name === 'relu'
      ? [
          { kind: 'batchNorm', name: 'norm', inputs: ['conv'], epsilon: 1e-5, momentum: 0.1, affine: true },
          { ...node, inputs: ['norm'] },
        ]
      : [node],
  );
  const { weights } = initializeWeights({ ...graph, nodes }, createRandomStream(7, 'normalized'));
  weights.get('norm.runningMean')!.data.set([0.2, -0.1, 0.3, 0]);
  weights.get('norm.runningVariance')!.data.set([0.5, 0.2, 1.5, 1]);
  return { graph: { ...graph, nodes }, weights };
}
const withNorms = normalizedTeacher();

const pooled = (changes: Partial<PoolMethodOptions> = {}): Method =>
  pool({
    batchSize: 8,
    studentSteps: 2,
    syntheses: 4,
    views: 2,
    poolBytes: 1e6,
    pictures: 0,
    generator: { latentSize: 4, widths: [4, 4, 2] },
    synthesisSize: 9,
    iterations: 3,
    generatorLearningRate: 1e-2,
    latentLearningRate: 1e-2,
    weights: { batchNorm: 1, label: 1, adversarial: 1 },
    batchNormMomentum: 0.9,
    metaInitialization: true,
    conditional: true,
    ...changes,
  });

const pools = { batchSize: 8, studentSteps: 2, syntheses: 4, views: 2, poolBytes: 1e6, pictures: 0 };
const generators = {
  batchSize: 8,
  generator: { latentSize: 4, widths: [4, 4, 2] },
  generatorSchedule: { kind: 'cosine', learningRate: 1e-3 },
  studentSteps: 2,
} as const;

const inverted = (changes: Partial<DeepInversionOptions> = {}): Method =>
  deepInversion({
    ...pools,
    synthesisSize: 9,
    iterations: 3,
    learningRate: 0.1,
    weights: { batchNorm: 1, label: 1, competition: 1, totalVariation: 1e-3, length: 1e-3 },
    ...changes,
  });
const noisy = (changes: Partial<NayerOptions> = {}): Method =>
  nayer({
    ...pools,
    generator: { latentSize: 4, widths: [4, 4, 2] },
    synthesisSize: 8,
    iterations: 3,
    generatorLearningRate: 1e-2,
    generatorLife: 2,
    embeddingSize: 5,
    weights: { batchNorm: 1, label: 1, adversarial: 1 },
    batchNormMomentum: 0.9,
    ...changes,
  });

const methods: readonly (readonly [string, Model, () => Method])[] = [
  ['noise', teacher, () => noise({ batchSize: 8 })],
  ['given images', teacher, () => given()],
  ...metadataVariants.map((variant) => [variant, teacher, () => reconstructed(variant)] as const),
  ['pool', teacher, () => pooled()],
  ['pool, batch norms', withNorms, () => pooled()],
  ['pool, persistent generator', withNorms, () => pooled({ metaInitialization: false, conditional: false })],
  ['pool that begins with pictures', teacher, () => pooled({ pictures: 20 })],
  ['deep inversion', withNorms, () => inverted()],
  ['zskt', withNorms, () => zskt({ ...generators, attentionWeight: 250 })],
  ['dfad', teacher, () => dfad(generators)],
  ['dfq', withNorms, () => dfq(generators)],
  ['dfq, no batch norms', teacher, () => dfq(generators)],
  ['nayer', withNorms, () => noisy()],
  ['pool that forgets', teacher, () => pooled({ poolBytes: 2000 })],
];

async function run(method: Method, steps: number, more: Partial<DistillOptions> = {}): Promise<DistillEvent[]> {
  const { training } = presets.fast;
  const student = more.student ?? shrink((more.teacher ?? teacher).graph, 0.5);
  const events: DistillEvent[] = [];
  for await (const event of distill({ backend, teacher, student, method, training, steps, seed: 1, ...more }))
    events.push(event);
  return events;
}

function weightsOf(events: readonly DistillEvent[]): unknown {
  return [...(events.at(-1) as ResultEvent).student.weights];
}

/** The checkpoint after so many of six steps, as it would be read from a disk. */
async function checkpointAfter(step: number, method: Method, model: Model): Promise<Checkpoint> {
  const { training } = presets.fast;
  const student = shrink(model.graph, 0.5);
  const options = { backend, teacher: model, student, method, training, steps: 6, seed: 1, checkpointEvery: step };
  for await (const event of distill(options)) {
    if (event.event !== 'checkpoint') continue;
    const parts = await Promise.all(
      event.checkpoint.parts.map(async (part) => {
        const tensors = await part.read();
        return { id: part.id, read: async () => tensors };
      }),
    );
    return { ...event.checkpoint, parts };
  }
  throw new Error('Expected a checkpoint');
}

/** Works with a session of the method, whose networks are freed afterwards. */
async function withSession(method: Method, model: Model, work: (session: MethodSession) => Promise<void>) {
  const network = createNetwork(backend, model);
  const studentGraph = shrink(model.graph, 0.5);
  const student = createNetwork(backend, initializeWeights(studentGraph, createRandomStream(5, 'student')));
  const createRandom = (purpose: string) => createRandomStream(1, purpose);
  const session = method.start({ backend, teacher: network, student, steps: 6, createRandom });
  try {
    await work(session);
  } finally {
    session.dispose();
    for (const each of [network, student]) each.dispose();
  }
}

describe.each(methods)('%s', (_, model, create) => {
  test('brings the student to a result, the same for the same seed', async () => {
    const first = await run(create(), 4, { teacher: model });
    expect(first.at(-1)).toMatchObject({ event: 'result', steps: 4 });
    expect(weightsOf(await run(create(), 4, { teacher: model }))).toEqual(weightsOf(first));
    expect(weightsOf(await run(create(), 4, { teacher: model, seed: 2 }))).not.toEqual(weightsOf(first));
  });

  test('goes on from a checkpoint to the very same student', async () => {
    const whole = await run(create(), 6, { teacher: model });
    const resume = await checkpointAfter(3, create(), model);
    expect(weightsOf(await run(create(), 6, { teacher: model, resume }))).toEqual(weightsOf(whole));
  });

  test('takes no more tensors in later steps than in the first ones', async () => {
    await withSession(create(), model, async (session) => {
      const counts: number[] = [];
      for (let step = 0; step < 6; step++) {
        const { losses } = await session.step(step);
        for (const loss of Object.values(losses)) backend.dispose(loss);
        counts.push(backend.memory().tensors);
      }
      expect(counts).toEqual(Array<number>(6).fill(counts[0]));
    });
  });

  test('shows images without a change of what follows, also of a checkpoint whose parts are gone', async () => {
    const { counters, tensors } = await checkpointAfter(3, create(), model);
    const own = <Value>(entries: Iterable<[string, Value]>): [string, Value][] =>
      [...entries].flatMap(([name, value]) =>
        name.startsWith('method/') ? [[name.slice('method/'.length), value] as [string, Value]] : [],
      );
    await withSession(create(), model, async (session) => {
      await session.restore({
        counters: Object.fromEntries(own(Object.entries(counters))),
        tensors: new Map(own(tensors)),
        parts: [],
      });
      const before = await session.state();
      const { images, teacherLogits } = await session.sample(createRandomStream(9, 'samples'));
      expect(images.shape.slice(1)).toEqual([8, 8, 1]);
      expect(teacherLogits.shape).toEqual([images.shape[0], 3]);
      for (const tensor of [images, teacherLogits]) backend.dispose(tensor);
      expect(await session.state()).toEqual(before);
    });
  });

  test('is refused before the first step by a teacher that only answers, unless it needs no more', async () => {
    const answering: Model = {
      graph: {
        ...model.graph,
        nodes: [{ kind: 'opaque', name: 'answers', inputs: ['input'], classes: 3 }],
        outputs: { logits: 'answers', features: 'answers' },
      },
      weights: new Map(),
      answer: async (_images, [count]) => new Float32Array(count * 3),
    };
    const method = create();
    expect(method.needs).toBeUndefined();
    await expect(run(method, 1, { teacher: answering, student: shrink(model.graph, 0.5) })).rejects.toThrow(
      `Cannot distill '${model.graph.name}' by method '${method.name}' as the method must need answers alone`,
    );
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
      () => pooled({ synthesisSize: 1 }),
      "Cannot use method 'pool' as 'synthesisSize' must be an integer >= 2: current value is 1",
    ],
    [() => pooled({ views: 0 }), "Cannot use method 'pool' as 'views' must be an integer >= 1: current value is 0"],
    [
      () => pooled({ latentLearningRate: 0 }),
      "Cannot use method 'pool' as 'latentLearningRate' must be > 0: current value is 0",
    ],
    [
      () => pooled({ batchNormMomentum: 1 }),
      "Cannot use method 'pool' as 'batchNormMomentum' must be in [0, 1): current value is 1",
    ],
    [
      () => pooled({ weights: { label: -1 } }),
      "Cannot use method 'pool' as 'weights.label' must be >= 0: current value is -1",
    ],
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
