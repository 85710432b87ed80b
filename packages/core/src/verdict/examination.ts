import { type ImageSet, sliceImageSet } from '../data/image-set.ts';
import { inferenceBatchSize } from '../inference-batch-size.ts';
import { describeClassifier } from '../model/classifier.ts';
import type { Network } from '../model/network.ts';
import { choosePictures } from '../procedural/choose-pictures.ts';
import { labelPictures } from '../procedural/label-pictures.ts';
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

/** Pictures of each class that are kept, where there is room. */
const MOST_OF_A_CLASS = 64;
const MOST_KEPT = 640;

/**
 * Compares students with their teacher on procedural pictures that no method learns from, drawn so that the teacher's
 * classes occur equally often. Images that a method makes itself are no measure: a generator that makes one image has a
 * student that agrees on all of them.
 */
export class Examination {
  readonly #teacher: Network;
  /** With the teacher's classes as labels. */
  readonly #pictures: ImageSet;

  private constructor(teacher: Network, pictures: ImageSet) {
    this.#teacher = teacher;
    this.#pictures = pictures;
  }

  /** Draws the pictures and asks the teacher. */
  static async prepare({ teacher, createRandom, turn, signal }: ExaminationOptions): Promise<Examination> {
    const { classes } = describeClassifier(teacher.graph);
    const pictures = await choosePictures(teacher, {
      most: Math.min(MOST_KEPT, MOST_OF_A_CLASS * classes),
      createRandom: (purpose) => createRandom(`examination ${purpose}`),
      turn,
      signal,
    });
    return new Examination(teacher, pictures);
  }

  /** What a student of the same task says of the pictures. */
  async examine(student: Network, turn: Turn, signal?: AbortSignal): Promise<Marks> {
    const { classes } = describeClassifier(this.#teacher.graph);
    const right = Array<number>(classes).fill(0);
    const counts = Array<number>(classes).fill(0);
    const { count, labels } = this.#pictures;
    const batch = inferenceBatchSize(student.graph);
    for (let begin = 0; begin < count; begin += batch) {
      await turn();
      signal?.throwIfAborted();
      const { pixels } = sliceImageSet(this.#pictures, begin, Math.min(count, begin + batch));
      const said = await labelPictures(student, pixels);
      said.forEach((label, index) => {
        const truth = labels![begin + index];
        counts[truth]++;
        if (label === truth) right[truth]++;
      });
    }
    const classAgreements = right.map((hits, label) => (counts[label] === 0 ? null : hits / counts[label]));
    const known = classAgreements.filter((share) => share !== null);
    const agreement = known.reduce((sum, share) => sum + share, 0) / known.length;
    return { pictures: count, agreement, classAgreements };
  }
}
