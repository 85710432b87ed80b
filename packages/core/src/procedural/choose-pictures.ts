import type { ImageSet } from '../data/image-set.ts';
import { describeClassifier } from '../model/classifier.ts';
import type { Network } from '../model/network.ts';
import type { RandomStream } from '../random.ts';
import type { Turn } from '../turn.ts';
import { answerPictures } from './answer-pictures.ts';
import { PictureSource } from './picture-source.ts';

/** Options of `choosePictures`. */
export interface ChoosePicturesOptions {
  /** Pictures in all where there is room; at least one of each class. */
  readonly most: number;
  /** Pictures drawn at most, >= 1; default: as many as it takes. */
  readonly mostDrawn?: number;
  /** The same stream for the same purpose. */
  readonly createRandom: (purpose: string) => RandomStream;
  readonly turn: Turn;
  readonly signal?: AbortSignal;
}

const DRAWN_AT_A_TIME = 128;
/** Pictures drawn for each that is kept: common classes give more than their share. */
const DRAWN_FOR_EACH = 2.4;
/** Bytes of the pictures at most. */
const MOST_BYTES = 2 ** 26;

/**
 * Draws procedural pictures and keeps those with which the teacher's classes occur as equally often as they can.
 *
 * @returns The pictures, class by class, with the teacher's class of each as its label.
 */
export async function choosePictures(
  teacher: Network,
  { most, mostDrawn = Infinity, createRandom, turn, signal }: ChoosePicturesOptions,
): Promise<ImageSet> {
  const { inputShape, preprocessing, classes } = describeClassifier(teacher.graph);
  const [height, width, channels] = inputShape;
  const capacity = Math.max(classes, Math.min(most, Math.floor(MOST_BYTES / (height * width * channels))));
  const source = new PictureSource({
    size: { height, width, channels },
    classes,
    capacity,
    heldOut: classes,
    brightness: preprocessing.mean.reduce((sum, value) => sum + value, 0) / channels || undefined,
    createRandom,
    turn,
  });
  const drawn = Math.min(mostDrawn, Math.ceil(DRAWN_FOR_EACH * capacity));
  for (let begin = 0; begin < drawn; begin += DRAWN_AT_A_TIME) {
    signal?.throwIfAborted();
    await source.draw(Math.min(DRAWN_AT_A_TIME, drawn - begin), async (pictures) => ({
      labels: (await answerPictures(teacher, pictures, { turn, signal })).labels,
    }));
  }
  const { count, classCounts, pictureSize } = source.training;
  const pixels = new Uint8Array(count * pictureSize);
  const labels = new Uint32Array(count);
  let taken = 0;
  classCounts.forEach((ofClass, label) => {
    for (let index = 0; index < ofClass; index++, taken++) {
      pixels.set(source.training.pick(label, (index + 0.5) / ofClass), taken * pictureSize);
      labels[taken] = label;
    }
  });
  return { height, width, channels, count, pixels, labels };
}
