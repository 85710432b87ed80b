import { describeClassifier } from './model/classifier.ts';
import { fitLayers } from './model/fit-layers.ts';
import { inferShapes } from './model/infer-shapes.ts';
import type { Network } from './model/network.ts';
import { choosePictures } from './procedural/choose-pictures.ts';
import { PictureMixer } from './procedural/picture-mixer.ts';
import type { RandomStream } from './random.ts';
import { sizeOf } from './shape.ts';
import type { Turn } from './turn.ts';

/** What a student is fitted by. */
export interface FitStudentOptions {
  readonly teacher: Network;
  /** A narrower form of the teacher that inherited some of its channels; its weights are changed. */
  readonly student: Network;
  /** Of each node: which of the teacher's channels the student's are. */
  readonly channels: ReadonlyMap<string, readonly number[]>;
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
 * Fits a student's layers to its teacher's by procedural pictures, before the first step: no data, no training. Where few are found for the
 * number of classes, the student stays as it is.
 *
 * @see fitLayers
 */
export async function fitStudent(options: FitStudentOptions): Promise<void> {
  const { teacher, student, channels, createRandom, turn, signal } = options;
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
    await fitLayers({ teacher, student, channels, images, turn, signal });
  } finally {
    student.backend.dispose(images);
  }
}
