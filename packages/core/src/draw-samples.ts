import type { MethodSession } from './methods/method.ts';
import { describeClassifier } from './model/classifier.ts';
import type { Network } from './model/network.ts';
import { argMaxRows, predictLogits } from './predict.ts';
import type { RandomStream } from './random.ts';
import type { Turn } from './turn.ts';
import { sizeOf } from './shape.ts';

/** Images of a method and what is thought of them. */
export interface DrawnSamples {
  /** Shape `[count, ...inputShape]`, in the teacher's normalised input space. */
  readonly images: Float32Array;
  /** The teacher's, shape `[count, classes]`. */
  readonly logits: Float32Array;
  /** Share of the images on which student and teacher name the same class, 0..1; absent without a student. */
  readonly agreement?: number;
}

/** Options of `drawSamples`. */
export interface DrawSamplesOptions {
  readonly teacher: Network;
  /** Whose agreement with the teacher is measured. */
  readonly student?: Network;
  /** What the images are drawn from. */
  readonly random: RandomStream;
  readonly turn: Turn;
  readonly signal?: AbortSignal;
}

/** Enough for a grid, for the collapse detectors and for the agreement. */
const MOST_IMAGES = 512;
/** Fewer images where a method's batches are that small, ... */
const MOST_BATCHES = 32;
/** ... or where the images are that large. */
const MOST_BYTES = 2 ** 26;

/** Draws images of a method: at its own batch size, so that no more memory is taken than a step takes. */
export async function drawSamples(session: MethodSession, options: DrawSamplesOptions): Promise<DrawnSamples> {
  const { teacher, student, random, turn, signal } = options;
  const { backend } = teacher;
  const { inputShape, classes } = describeClassifier(teacher.graph);
  const size = sizeOf(inputShape);
  const most = Math.max(1, Math.min(MOST_IMAGES, Math.floor(MOST_BYTES / (4 * size))));
  const images = new Float32Array(most * size);
  const logits = new Float32Array(most * classes);
  let count = 0;
  let agreed = 0;
  for (let batch = 0; batch < MOST_BATCHES && count < most; batch++) {
    await turn();
    signal?.throwIfAborted();
    const drawn = await session.sample(random);
    try {
      const taken = Math.min(drawn.images.shape[0], most - count);
      const answers = (await backend.read(drawn.teacherLogits)).subarray(0, taken * classes);
      images.set((await backend.read(drawn.images)).subarray(0, taken * size), count * size);
      logits.set(answers, count * classes);
      if (student !== undefined) {
        const ofStudent = argMaxRows(await predictLogits(student, drawn.images), classes);
        agreed += argMaxRows(answers, classes).filter((label, index) => label === ofStudent[index]).length;
      }
      count += taken;
    } finally {
      backend.dispose(drawn.images);
      backend.dispose(drawn.teacherLogits);
    }
  }
  return {
    images: images.subarray(0, count * size),
    logits: logits.subarray(0, count * classes),
    agreement: student === undefined ? undefined : agreed / count,
  };
}
