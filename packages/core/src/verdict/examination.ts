import type { ImageSet } from '../data/image-set.ts';
import { describeClassifier } from '../model/classifier.ts';
import { describeModel } from '../model/describe-model.ts';
import type { Network } from '../model/network.ts';
import { choosePictures } from '../procedural/choose-pictures.ts';
import { answerPictures } from '../procedural/answer-pictures.ts';
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
  /**
   * The agreement on clear pictures: of each class the half on which the teacher's class is farthest above the next. Where
   * the teacher itself wavers between classes, a student that decides otherwise may do as well.
   */
  readonly clearAgreement: number;
}

/** Options of an examination. */
export interface ExaminationOptions {
  readonly teacher: Network;
  /** Steps of the run, >= 1; absent outside of runs, where pictures may take what they take. */
  readonly steps?: number;
  /** The same stream for the same purpose. */
  readonly createRandom: (purpose: string) => RandomStream;
  readonly turn: Turn;
  readonly signal?: AbortSignal;
}

/** Pictures of each class that are kept, where there is room. */
const MOST_OF_A_CLASS = 64;
const MOST_KEPT = 640;
/**
 * Drawn for each step of the run at least, and multiply-accumulates that their answers may take in any case: a run of a few
 * steps of a large network must not wait for its examination longer than it takes itself.
 */
const DRAWN_A_STEP = 32;
const LEAST_OPERATIONS = 2e11;

/**
 * Compares students with their teacher on procedural pictures that no method learns from, drawn so that the teacher's
 * classes occur equally often. Images that a method makes itself are no measure: a generator that makes one image has a
 * student that agrees on all of them.
 */
export class Examination {
  readonly #teacher: Network;
  /** With the teacher's classes as labels. */
  readonly #pictures: ImageSet;
  /** Of each picture: 1 where it is clear. */
  readonly #isClear: Uint8Array;

  private constructor(teacher: Network, pictures: ImageSet, isClear: Uint8Array) {
    this.#teacher = teacher;
    this.#pictures = pictures;
    this.#isClear = isClear;
  }

  /** Draws the pictures and asks the teacher. */
  static async prepare({
    teacher,
    steps = Infinity,
    createRandom,
    turn,
    signal,
  }: ExaminationOptions): Promise<Examination> {
    const { classes } = describeClassifier(teacher.graph);
    const { multiplyAccumulates } = describeModel(teacher.graph);
    const pictures = await choosePictures(teacher, {
      most: Math.min(MOST_KEPT, MOST_OF_A_CLASS * classes),
      mostDrawn: Math.max(DRAWN_A_STEP * steps, Math.ceil(LEAST_OPERATIONS / (multiplyAccumulates + 1))),
      createRandom: (purpose) => createRandom(`examination ${purpose}`),
      turn,
      signal,
    });
    const { margins } = await answerPictures(teacher, pictures.pixels, { turn, signal });
    return new Examination(teacher, pictures, findClear(pictures.labels!, margins, classes));
  }

  /** What a student of the same task says of the pictures. */
  async examine(student: Network, turn: Turn, signal?: AbortSignal): Promise<Marks> {
    const { classes } = describeClassifier(this.#teacher.graph);
    const right = Array<number>(classes).fill(0);
    const counts = Array<number>(classes).fill(0);
    const clearRight = Array<number>(classes).fill(0);
    const clearCounts = Array<number>(classes).fill(0);
    const { count, pixels, labels: truths } = this.#pictures;
    const { labels } = await answerPictures(student, pixels, { turn, signal });
    labels.forEach((label, index) => {
      const truth = truths![index];
      const isClear = this.#isClear[index];
      const isRight = Number(label === truth);
      counts[truth]++;
      right[truth] += isRight;
      clearCounts[truth] += isClear;
      clearRight[truth] += isClear * isRight;
    });
    const classAgreements = right.map((hits, label) => (counts[label] === 0 ? null : hits / counts[label]));
    const clearAgreements = clearRight.map((hits, label) =>
      clearCounts[label] === 0 ? null : hits / clearCounts[label],
    );
    return {
      pictures: count,
      agreement: meanOfKnown(classAgreements),
      classAgreements,
      clearAgreement: meanOfKnown(clearAgreements),
    };
  }
}

function meanOfKnown(shares: readonly (number | null)[]): number {
  const known = shares.filter((share) => share !== null);
  return known.reduce((sum, share) => sum + share, 0) / known.length;
}

/** Marks the half of each class's pictures with the largest margins; of an odd number the middle one, too. */
function findClear(labels: ArrayLike<number>, margins: Float32Array, classes: number): Uint8Array {
  const isClear = new Uint8Array(margins.length);
  const members = Array.from({ length: classes }, (): number[] => []);
  for (let index = 0; index < margins.length; index++) members[labels[index]].push(index);
  for (const ofClass of members) {
    ofClass.sort((one, other) => margins[other] - margins[one]);
    for (const index of ofClass.slice(0, Math.ceil(ofClass.length / 2))) isClear[index] = 1;
  }
  return isClear;
}
