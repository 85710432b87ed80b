import { describeClassifier } from './model/classifier.ts';
import { fitLayers } from './model/fit-layers.ts';
import { inferShapes } from './model/infer-shapes.ts';
import type { Network } from './model/network.ts';
import { whitenInputs } from './model/whiten-inputs.ts';
import type { WhitenedOptimizer } from './optimizers/whitened.ts';
import { choosePictures } from './procedural/choose-pictures.ts';
import { PictureMixer } from './procedural/picture-mixer.ts';
import type { RandomStream } from './random.ts';
import { sizeOf } from './shape.ts';
import type { Turn } from './turn.ts';

/** What a student is prepared by. */
export interface PrepareStudentOptions {
  readonly teacher: Network;
  readonly student: Network;
  /**
   * Of a student that inherited some of its teacher's channels and is to be fitted to them: which they are, of each node.
   * Its weights are changed.
   */
  readonly channels?: ReadonlyMap<string, readonly number[]>;
  /** Of the student: is told what its layers then read. */
  readonly optimizer?: WhitenedOptimizer;
  /** The same stream for the same purpose. */
  readonly createRandom: (purpose: string) => RandomStream;
  readonly turn: Turn;
  readonly signal?: AbortSignal;
}

const MOST_PICTURES = 1_024;
/** Of the teacher's largest feature map of all pictures; about two such are alive at once. */
const MOST_BYTES = 2 ** 28;

/** Fewer pictures for each class show too little of what the layers are for. */
const LEAST_FOR_EACH_CLASS = 8;

/**
 * What is done before the first step by procedural pictures, without data or training: a student's layers are fitted to its
 * teacher's, and its optimizer is told what they read. Where few pictures are found for the number of classes, the
 * student stays as it is.
 *
 * @see fitLayers
 * @see whitenInputs
 */
export async function prepareStudent(options: PrepareStudentOptions): Promise<void> {
  const { teacher, student, channels, optimizer, createRandom, turn, signal } = options;
  const { graph } = teacher;
  const { inputShape, preprocessing, classes } = describeClassifier(graph);
  const [height, width, depth] = inputShape;
  const largest = Math.max(...[...inferShapes(graph).values()].map(({ output }) => sizeOf(output)), sizeOf(inputShape));
  const most = Math.max(1, Math.min(MOST_PICTURES, Math.floor(MOST_BYTES / (4 * largest))));
  const { pixels, count } = await choosePictures(teacher, {
    most,
    createRandom: (purpose) => createRandom(`fit ${purpose}`),
    turn,
    signal,
  });
  if (count < LEAST_FOR_EACH_CLASS * classes) return;
  // They stand class by class; a layer that is fitted by some of them is to see all classes.
  const order = createRandom('fit order').permutation(count);
  const size = height * width * depth;
  const list = Array.from(order, (index) => pixels.subarray(index * size, (index + 1) * size));
  const mixer = new PictureMixer({ size: { height, width, channels: depth }, ...preprocessing });
  const images = student.backend.tensor(mixer.normalize(list), [count, ...inputShape]);
  try {
    if (channels !== undefined) await fitLayers({ teacher, student, channels, images, turn, signal });
    if (optimizer === undefined) return;
    const random = createRandom('whitening');
    optimizer.whiten(await whitenInputs({ network: student, images, random, turn, signal }));
  } finally {
    student.backend.dispose(images);
  }
}
