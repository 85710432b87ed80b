import type { Tensor } from '../backend.ts';
import { fail } from '../check.ts';
import { describeClassifier } from '../model/classifier.ts';
import type { Preprocessing } from '../model/model.ts';
import { answerImages } from '../predict.ts';
import { answerPictures } from '../procedural/answer-pictures.ts';
import { type Mixing, type Mixture, PictureMixer } from '../procedural/picture-mixer.ts';
import type { PicturePool } from '../procedural/picture-pool.ts';
import { PictureSource } from '../procedural/picture-source.ts';
import type { RandomStream } from '../random.ts';
import { createTurn } from '../turn.ts';
import type { Method, MethodContext, MethodSession, StudentBatch } from './method.ts';

/** Options of `procedural`. */
export interface ProceduralOptions {
  /** Images of one student update, >= 1. */
  readonly batchSize: number;
  /** Updates of the student in one step, >= 1. */
  readonly studentSteps: number;
  /** In how many of them each batch of the step is used, >= 1: the teacher answers it once. Default: 1. */
  readonly uses?: number;
  /**
   * Pictures that are kept at most, >= 1; fewer where they would take more than 256 MiB. Default: 20,000 where the teacher
   * answers 96,000 images in the run, and with the root of their number more where it answers more.
   */
  readonly pictures?: number;
}

/** The mean that a teacher's preprocessing takes off pixels in 0..1; undefined where it takes none off. */
function meanPixel({ mean }: Preprocessing): number | undefined {
  const average = mean.reduce((sum, value) => sum + value, 0) / mean.length;
  return average > 0 && average < 1 ? average : undefined;
}

/** Pictures that are kept by default, in runs in which the teacher answers no more than so many images. */
const PICTURES = 20_000;
const IMAGES = 96_000;
/** Bytes of the pool at most. */
const MOST_BYTES = 256 * 2 ** 20;
/** Pictures drawn before the first update. */
const FIRST_PICTURES = 4_096;
/** Pictures drawn in all, for each that is kept. */
const DRAWN_FOR_EACH = 2;
/** How often the student sees each, on average, at least. */
const LEAST_VIEWS = 4;
/** Pictures drawn for each class at least. */
const LEAST_FOR_EACH_CLASS = 16;
/** In this share of the run new pictures are drawn. */
const DRAWING_SHARE = 0.6;
/** Pictures that are never learnt from, but compared on. */
const HELD_OUT = 1_024;
/** In turns. */
const MIXINGS: readonly Mixing[] = ['mixup', 'cutmix', 'none'];

/**
 * Distillation on procedural pictures: drawn by rules, without data and without a generator network, and chosen so that
 * the teacher's classes occur equally often; mirrored, shifted and mixed. Needs only the teacher's answers.
 *
 * Source: the idea of Frank and Davis, "What Makes a Good Dataset for Knowledge Distillation?", CVPR 2025: procedural
 * images, balanced by the teacher's answers, with mixup. Deviations: families of our own, and pictures of rare classes are
 * varied to make more of them.
 *
 * @throws {DaflError} `USAGE` if an option is out of range.
 */
export function procedural(given: ProceduralOptions): Method {
  const options = { uses: 1, ...given };
  for (const name of ['batchSize', 'studentSteps', 'uses', 'pictures'] as const) {
    const value = options[name];
    // Left open, it follows from the length of the run.
    if (name === 'pictures' && value === undefined) continue;
    if (!(Number.isInteger(value) && Number(value) >= 1))
      fail({ cannot: "use method 'procedural'", as: `'${name}' must be an integer >= 1`, value });
  }
  return {
    name: 'procedural',
    options,
    needs: 'answers',
    start: (context) => startProcedural(options, context),
  };
}

function startProcedural(
  { batchSize, studentSteps, uses, pictures: most }: ProceduralOptions & { readonly uses: number },
  { backend, teacher, steps, positionAt = (step) => step, createRandom, turn = createTurn() }: MethodContext,
): MethodSession {
  const { inputShape, preprocessing, classes } = describeClassifier(teacher.graph);
  const [height, width, channels] = inputShape;
  const size = { height, width, channels };
  const pictureSize = height * width * channels;
  const fresh = Math.ceil(studentSteps / uses);
  const answered = steps * fresh * batchSize;
  const pictures = most ?? Math.round(PICTURES * Math.sqrt(Math.max(1, answered / IMAGES)));
  const capacity = Math.max(classes, Math.min(pictures, Math.floor(MOST_BYTES / pictureSize)));
  const { mean, standardDeviation } = preprocessing;
  const mixer = new PictureMixer({ size, mean, standardDeviation });
  let source = createSource();
  const batches = createRandom('batches');
  let taken: StudentBatch[] = [];
  const drawingSteps = Math.max(1, Math.round(DRAWING_SHARE * steps));
  // No more than the student sees a few times.
  const total = Math.max(
    Math.min(DRAWN_FOR_EACH * capacity, Math.ceil((steps * studentSteps * batchSize) / LEAST_VIEWS)),
    // For many classes, no more than it sees at all.
    Math.min(LEAST_FOR_EACH_CLASS * classes, answered),
  );
  const first = Math.min(FIRST_PICTURES, total);

  function createSource(): PictureSource {
    const heldOut = Math.max(HELD_OUT, classes);
    return new PictureSource({
      size,
      classes,
      capacity,
      heldOut,
      brightness: meanPixel(preprocessing),
      createRandom,
      turn,
    });
  }

  /** How many pictures have been drawn once `step` steps are done. */
  function drawnAfter(step: number): number {
    const share = Math.min(1, positionAt(step) / drawingSteps);
    return first + Math.floor(share * (total - first));
  }

  function upload(list: readonly Uint8Array[], mixture: Mixture, random: RandomStream): Tensor {
    return backend.tensor(mixer.mix(list, mixture, random), [list.length, height, width, channels]);
  }

  /** As many pictures of each class, as far as there are any. */
  function pick(pool: PicturePool, count: number, random: RandomStream): Uint8Array[] {
    const known = pool.knownClasses;
    const labels = random.integers(count, known.length);
    const shares = random.uniform(count);
    return Array.from(labels, (label, index) => pool.pick(known[label], shares[index]));
  }

  function free(): void {
    for (const { images, teacherLogits } of taken) {
      backend.dispose(images);
      if (teacherLogits !== undefined) backend.dispose(teacherLogits);
    }
    taken = [];
  }

  return {
    async step(step) {
      free();
      const missing = drawnAfter(step) - source.drawn;
      if (missing > 0)
        await source.draw(missing, (drawn) =>
          answerPictures(teacher, drawn, { turn, batchSize, measuresStrangeness: true }),
        );
      const changes = { shift: Math.max(1, Math.round(Math.min(height, width) / 10)), horizontalFlip: true };
      for (let batch = 0; batch < fresh; batch++) {
        const mixing = MIXINGS[(step * fresh + batch) % MIXINGS.length];
        const images = upload(pick(source.training, batchSize, batches), { mixing, ...changes }, batches);
        // A teacher that runs here answers as the student learns, where its inner values are wanted as well.
        taken.push(
          teacher.answer === undefined ? { images } : { images, teacherLogits: await answerImages(teacher, images) },
        );
      }
      return { batches: Array.from({ length: studentSteps }, (_, update) => taken[update % fresh]), losses: {} };
    },
    async sample(random) {
      const pool = source.heldOut.count > 0 ? source.heldOut : source.training;
      const images = backend.tensor(mixer.normalize(pick(pool, batchSize, random)), [batchSize, ...inputShape]);
      return { images, teacherLogits: await answerImages(teacher, images) };
    },
    async state() {
      const told = { answers: source.answers, strangeness: source.strangeness };
      const tensors = new Map(
        Object.entries(told).map(([name, values]) => [
          name,
          { shape: [values.length], data: Float32Array.from(values) },
        ]),
      );
      return { counters: { batches: batches.state().counter }, tensors, parts: [] };
    },
    async restore({ counters, tensors }) {
      source = createSource();
      const answers = tensors.get('answers')!.data;
      const strangeness = tensors.get('strangeness')!.data;
      // Draw by draw, as each draw's choices rest on the pool before it.
      for (let step = 0; source.drawn < answers.length; step++) {
        const [begin, end] = [source.drawn, drawnAfter(step)];
        await source.replay({
          labels: answers.subarray(begin, end),
          strangeness: strangeness.length === 0 ? null : strangeness.subarray(begin, end),
        });
      }
      batches.restore({ counter: counters.batches });
    },
    dispose: free,
  };
}
