import { inferenceBatchSize } from '../inference-batch-size.ts';
import { describeClassifier } from '../model/classifier.ts';
import type { Network } from '../model/network.ts';
import { argMaxRows, predictLogits } from '../predict.ts';
import { PictureMixer } from '../procedural/picture-mixer.ts';
import { PictureSource } from '../procedural/picture-source.ts';
import type { RandomStream } from '../random.ts';
import type { Turn } from '../turn.ts';

/** What a student did in an examination. */
export interface Marks {
  /** Pictures that were shown. */
  readonly pictures: number;
  /** Share of the pictures on which the student names the teacher's class: the mean over the teacher's classes, 0..1. */
  readonly agreement: number;
  /** The same of each class; null where no picture of it was found. */
  readonly classAgreements: readonly (number | null)[];
}

/** Options of an examination. */
export interface ExaminationOptions {
  readonly teacher: Network;
  /** The same stream for the same purpose. */
  readonly createRandom: (purpose: string) => RandomStream;
  readonly turn: Turn;
  readonly signal?: AbortSignal;
}

const DRAWN_AT_A_TIME = 128;
/** Pictures of each class that are kept, where there is room. */
const MOST_OF_A_CLASS = 64;
const MOST_KEPT = 640;
/** Pictures drawn for each that is kept: common classes give more than their share. */
const DRAWN_FOR_EACH = 2.4;
/** Bytes of the pictures at most. */
const MOST_BYTES = 2 ** 26;

/**
 * Compares students with their teacher on procedural pictures that no method learns from, drawn so that the teacher's
 * classes occur equally often. Images that a method makes itself are no measure: a generator that makes one image has a
 * student that agrees on all of them.
 */
export class Examination {
  readonly #teacher: Network;
  readonly #pictures: Uint8Array[];
  readonly #labels: number[];

  private constructor(teacher: Network, pictures: Uint8Array[], labels: number[]) {
    this.#teacher = teacher;
    this.#pictures = pictures;
    this.#labels = labels;
  }

  /** Draws the pictures and asks the teacher. */
  static async prepare({ teacher, createRandom, turn, signal }: ExaminationOptions): Promise<Examination> {
    const { inputShape, preprocessing, classes } = describeClassifier(teacher.graph);
    const [height, width, channels] = inputShape;
    const pictureSize = height * width * channels;
    const room = Math.min(MOST_KEPT, MOST_OF_A_CLASS * classes, Math.floor(MOST_BYTES / pictureSize));
    const most = Math.max(classes, room);
    const source = new PictureSource({
      size: { height, width, channels },
      classes,
      capacity: most,
      heldOut: classes,
      brightness: preprocessing.mean.reduce((sum, value) => sum + value, 0) / channels || undefined,
      createRandom: (purpose) => createRandom(`examination ${purpose}`),
    });
    const drawn = Math.ceil(DRAWN_FOR_EACH * most);
    for (let begin = 0; begin < drawn; begin += DRAWN_AT_A_TIME) {
      await turn();
      signal?.throwIfAborted();
      await source.draw(Math.min(DRAWN_AT_A_TIME, drawn - begin), (pictures) => labelPictures(teacher, pictures));
    }
    const chosen: Uint8Array[] = [];
    const labels: number[] = [];
    source.training.classCounts.forEach((count, label) => {
      for (let index = 0; index < count; index++) {
        chosen.push(source.training.pick(label, (index + 0.5) / count));
        labels.push(label);
      }
    });
    return new Examination(teacher, chosen, labels);
  }

  /** What a student of the same task says of the pictures. */
  async examine(student: Network, turn: Turn, signal?: AbortSignal): Promise<Marks> {
    const { classes } = describeClassifier(this.#teacher.graph);
    const right = Array<number>(classes).fill(0);
    const counts = Array<number>(classes).fill(0);
    const size = this.#pictures[0].length;
    const batch = inferenceBatchSize(student.graph);
    for (let begin = 0; begin < this.#pictures.length; begin += batch) {
      await turn();
      signal?.throwIfAborted();
      const list = this.#pictures.slice(begin, begin + batch);
      const joined = new Uint8Array(list.length * size);
      list.forEach((picture, index) => joined.set(picture, index * size));
      const said = await labelPictures(student, joined);
      said.forEach((label, index) => {
        const truth = this.#labels[begin + index];
        counts[truth]++;
        if (label === truth) right[truth]++;
      });
    }
    const classAgreements = right.map((count, label) => (counts[label] === 0 ? null : count / counts[label]));
    const known = classAgreements.filter((share) => share !== null);
    const agreement = known.reduce((sum, share) => sum + share, 0) / known.length;
    return { pictures: this.#pictures.length, agreement, classAgreements };
  }
}

/** The classes that a network sees in pictures, bytes of shape `[count, height, width, channels]`. */
async function labelPictures(network: Network, pictures: Uint8Array): Promise<Uint32Array> {
  const { inputShape, preprocessing, classes } = describeClassifier(network.graph);
  const [height, width, channels] = inputShape;
  const size = height * width * channels;
  const count = pictures.length / size;
  const mixer = new PictureMixer({ size: { height, width, channels }, ...preprocessing });
  const list = Array.from({ length: count }, (_, index) => pictures.subarray(index * size, (index + 1) * size));
  const labels = new Uint32Array(count);
  const batch = inferenceBatchSize(network.graph);
  for (let begin = 0; begin < count; begin += batch) {
    const inputs = mixer.normalize(list.slice(begin, begin + batch));
    const images = network.backend.tensor(inputs, [Math.min(batch, count - begin), ...inputShape]);
    try {
      labels.set(argMaxRows(await predictLogits(network, images), classes), begin);
    } finally {
      network.backend.dispose(images);
    }
  }
  return labels;
}
