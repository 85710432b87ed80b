import {
  answerImages,
  argMaxRows,
  choosePictures,
  type Classifier,
  createTurn,
  describeClassifier,
  type HostTensor,
  ImagePool,
  type MethodContext,
  type MethodSession,
  predictLogits,
  type RandomStream,
  type StudentBatch,
  type Tensor,
  toPixels,
} from '@dafl/core';
import type { ImageMove } from './_move-images.ts';
import { viewImages } from './_view-images.ts';

/** How images are kept and met again. */
export interface PoolOptions {
  /** Images of one student update, >= 1. */
  readonly batchSize: number;
  /** Updates of the student in one step, >= 1. */
  readonly studentSteps: number;
  /** Batches of images that are made over the run, >= 1. */
  readonly syntheses: number;
  /** Moved views of each image that the teacher is asked about, once; >= 1. */
  readonly views: number;
  /** What the images and the answers may take, in bytes; the oldest go where it is less than they need. */
  readonly poolBytes: number;
  /**
   * Procedural pictures that the pool begins with, chosen so that the teacher's classes occur equally often; half of each
   * batch is of them. 0 for none.
   */
  readonly pictures: number;
}

/** A batch of new images. */
export interface Synthesis {
  /** Shape `[batch, height, width, channels]`, in the teacher's input space; the session disposes it. */
  readonly images: Tensor;
  /** The class that each was made for. */
  readonly labels: Uint32Array;
  /** Scalars for the record; the session hands them on. */
  readonly losses: Readonly<Record<string, Tensor>>;
}

/** What a synthesis goes by. */
export interface SynthesisRequest {
  /** Counts from 0. */
  readonly index: number;
  /** Whether the student has learnt enough to be competed with. */
  readonly isWarm: boolean;
  /** Whether images may be mirrored. */
  readonly flips: boolean;
}

/** Makes images for a pool. */
export interface Synthesizer {
  synthesize(request: SynthesisRequest): Promise<Synthesis>;
  /** Images as it would make them now, from this stream: nothing of what follows changes. */
  preview(random: RandomStream): Promise<Pick<Synthesis, 'images' | 'labels'>>;
  state(): Promise<{
    readonly counters: Readonly<Record<string, number>>;
    readonly tensors: ReadonlyMap<string, HostTensor>;
  }>;
  restore(state: {
    readonly counters: Readonly<Record<string, number>>;
    readonly tensors: ReadonlyMap<string, HostTensor>;
  }): void;
  dispose(): void;
}

/** Share of all batches of images that are made before the student's first update, ... */
const FIRST_SHARE = 0.05;
/** ... and share of the run by which all are. */
const GROWING_SHARE = 0.9;
/** Share of the batches that are made before the adversarial terms set in. */
const WARM_UP_SHARE = 0.1;
/** Images are mirrored where the teacher names the same class of so many of them, mirrored or not. */
const SYMMETRY = 0.9;
/** Share of a batch that is of procedural pictures, where there are any. */
const PICTURE_SHARE = 0.5;
/** Pictures whose views the teacher answers at a time. */
const ANSWERED_AT_ONCE = 256;
const UNMOVED: ImageMove = { down: 0, right: 0, isFlipped: false };

/** Largest shift of images, in pixels: an eighth of their size. */
export function largestShift({ inputShape: [height, width] }: Classifier): number {
  return Math.max(1, Math.round(Math.min(height, width) / 8));
}

/**
 * A session whose images are kept as bytes and met again under new shifts and flips; the teacher answers some views of
 * each image when it is made, and is not asked again. The pool grows over the run, so that each image is met about as often
 * (4(e + 1) batches after the e-th synthesis, as in GapSSG).
 */
export function startPoolSession(
  options: PoolOptions,
  context: MethodContext,
  synthesizer: Synthesizer,
): MethodSession {
  const { backend, teacher, steps, positionAt = (step) => step, createRandom } = context;
  const classifier = describeClassifier(teacher.graph);
  const { classes, inputShape } = classifier;
  const imageSize = inputShape.reduce((product, length) => product * length, 1);
  const shift = largestShift(classifier);
  const pool = new ImagePool(imageSize, options.poolBytes);
  const pictures = new ImagePool(imageSize, options.poolBytes, 'pictures');
  const draws = createRandom('pool');
  const viewDraws = createRandom('views');
  const first = Math.ceil(FIRST_SHARE * options.syntheses);
  const warm = Math.ceil(WARM_UP_SHARE * options.syntheses);
  let made = 0;
  // How often the teacher sees the same class in an image and its mirror image.
  let symmetric = 0;
  let compared = 0;
  let taken: StudentBatch[] = [];

  const flips = (): boolean => compared > 0 && symmetric >= SYMMETRY * compared;

  /** Batches of images that are to be there before a step. */
  function dueAt(step: number): number {
    const share = Math.min(1, positionAt(step) / (GROWING_SHARE * steps));
    return Math.max(first, Math.min(options.syntheses, Math.ceil(options.syntheses * Math.sqrt(share))));
  }

  async function answer(pixels: readonly Uint8Array[], moves: readonly ImageMove[]): Promise<ArrayLike<number>> {
    const images = backend.tensor(viewImages(pixels, moves, classifier), [pixels.length, ...inputShape]);
    const logits = await predictLogits(teacher, images);
    backend.dispose(images);
    return logits;
  }

  async function synthesize(): Promise<Synthesis['losses']> {
    const { images, labels, losses } = await synthesizer.synthesize({
      index: made,
      isWarm: made >= warm,
      flips: flips(),
    });
    const values = toPixels(await backend.read(images), classifier);
    backend.dispose(images);
    await keep(
      pool,
      Uint8Array.from(values, (value) => Math.round(value * 255)),
      labels,
    );
    made++;
    return losses;
  }

  /** Keeps images, with what the teacher says of some views of each. */
  async function keep(into: ImagePool, bytes: Uint8Array, labels: Uint32Array): Promise<void> {
    const count = bytes.length / imageSize;
    const list = Array.from({ length: count }, (_, index) =>
      bytes.subarray(index * imageSize, (index + 1) * imageSize),
    );
    const asTheyAre = argMaxRows(await answer(list, Array<ImageMove>(count).fill(UNMOVED)), classes);
    const mirrored = argMaxRows(
      await answer(list, Array<ImageMove>(count).fill({ ...UNMOVED, isFlipped: true })),
      classes,
    );
    symmetric += asTheyAre.filter((label, index) => label === mirrored[index]).length;
    compared += count;

    const views = new Float32Array(count * options.views * 3);
    const answers = new Float32Array(count * options.views * classes);
    for (let view = 0; view < options.views; view++) {
      await context.turn?.();
      const shifts = viewDraws.integers(2 * count, 2 * shift + 1);
      const mirrors = viewDraws.integers(count, 2);
      const moves = Array.from(mirrors, (flip, index): ImageMove => ({
        down: shifts[2 * index] - shift,
        right: shifts[2 * index + 1] - shift,
        isFlipped: flips() && flip === 1,
      }));
      const logits = await answer(list, moves);
      moves.forEach(({ down, right, isFlipped }, index) => {
        const place = index * options.views + view;
        views.set([down, right, isFlipped ? 1 : 0], place * 3);
        for (let label = 0; label < classes; label++)
          answers[place * classes + label] = logits[index * classes + label];
      });
    }
    into.add({
      pixels: bytes,
      notes: new Map<string, HostTensor>([
        ['labels', { shape: [count, 1], data: Float32Array.from(labels) }],
        ['views', { shape: [count, options.views, 3], data: views }],
        ['answers', { shape: [count, options.views, classes], data: answers }],
      ]),
    });
  }

  async function keepPictures(): Promise<void> {
    const chosen = await choosePictures(teacher, {
      most: options.pictures,
      createRandom: (purpose) => createRandom(`pool ${purpose}`),
      turn: context.turn ?? createTurn(),
    });
    // Class by class as they come: mixed, so that each part has all classes.
    const order = createRandom('pool pictures').permutation(chosen.count);
    for (let begin = 0; begin < chosen.count; begin += ANSWERED_AT_ONCE) {
      const indices = order.subarray(begin, begin + ANSWERED_AT_ONCE);
      const bytes = new Uint8Array(indices.length * imageSize);
      indices.forEach((from, to) => {
        bytes.set(chosen.pixels.subarray(from * imageSize, (from + 1) * imageSize), to * imageSize);
      });
      await keep(
        pictures,
        bytes,
        indices.map((index) => chosen.labels![index]),
      );
    }
  }

  function draw(): StudentBatch {
    const { batchSize } = options;
    const ofPictures = pictures.size === 0 ? 0 : Math.floor(PICTURE_SHARE * batchSize);
    const indices = draws.integers(batchSize - ofPictures, pool.size);
    const chosen = draws.integers(batchSize, options.views);
    const drawn = Array.from(indices, (index) => pool.at(index));
    if (ofPictures > 0)
      drawn.push(...Array.from(draws.integers(ofPictures, pictures.size), (index) => pictures.at(index)));
    const moves = drawn.map((image, position): ImageMove => {
      const [down, right, flip] = image.note('views').subarray(chosen[position] * 3, chosen[position] * 3 + 3);
      return { down, right, isFlipped: flip === 1 };
    });
    const logits = new Float32Array(batchSize * classes);
    drawn.forEach((image, position) => {
      const start = chosen[position] * classes;
      logits.set(image.note('answers').subarray(start, start + classes), position * classes);
    });
    const pixels = drawn.map((image) => image.pixels);
    const labels = Int32Array.from(drawn, (image) => image.note('labels')[0]);
    return {
      images: backend.tensor(viewImages(pixels, moves, classifier), [batchSize, ...inputShape]),
      teacherLogits: backend.tensor(logits, [batchSize, classes]),
      labels: backend.tensor(labels, [batchSize]),
    };
  }

  function free(): void {
    for (const { images, teacherLogits, labels } of taken) {
      for (const tensor of [images, teacherLogits, labels]) if (tensor !== undefined) backend.dispose(tensor);
    }
    taken = [];
  }

  return {
    async step(step) {
      free();
      if (options.pictures > 0 && pictures.size === 0) await keepPictures();
      let losses: Synthesis['losses'] = {};
      for (const due = dueAt(step); made < due;) {
        for (const loss of Object.values(losses)) backend.dispose(loss);
        losses = await synthesize();
      }
      for (let update = 0; update < options.studentSteps; update++) taken.push(draw());
      return { batches: taken, losses };
    },
    async sample(random) {
      if (pool.size === 0) {
        const { images } = await synthesizer.preview(random);
        return { images, teacherLogits: await answerImages(teacher, images) };
      }
      const drawn = Array.from(random.integers(options.batchSize, pool.size), (index) => pool.at(index).pixels);
      const values = viewImages(drawn, Array<ImageMove>(drawn.length).fill(UNMOVED), classifier);
      const images = backend.tensor(values, [drawn.length, ...inputShape]);
      return { images, teacherLogits: await answerImages(teacher, images) };
    },
    async state() {
      const { counters, tensors } = await synthesizer.state();
      return {
        counters: {
          ...counters,
          pool: draws.state().counter,
          views: viewDraws.state().counter,
          made,
          symmetric,
          compared,
        },
        tensors,
        parts: [...pictures.parts(), ...pool.parts()],
      };
    },
    async restore({ counters, tensors, parts }) {
      synthesizer.restore({ counters, tensors });
      draws.restore({ counter: counters.pool });
      viewDraws.restore({ counter: counters.views });
      ({ made, symmetric, compared } = counters as { made: number; symmetric: number; compared: number });
      await pool.restore(parts);
      await pictures.restore(parts);
    },
    dispose() {
      free();
      synthesizer.dispose();
    },
  };
}

/** Labels of a batch: each class as often as the others, in random order. */
export function drawLabels(random: RandomStream, count: number, classes: number): Uint32Array {
  const offset = random.integers(1, classes)[0];
  return Uint32Array.from(random.permutation(count), (position) => (position + offset) % classes);
}
