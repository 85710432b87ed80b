import { classify, createNetwork, type ImageSet, type Model, type TensorBackend } from '@dafl/core';
import { pickImages } from '../data/pick-images.ts';
import { spreadOrder } from '../data/spread-order.ts';
import { fitPicture, type Picture, pictureOfBytes } from './figures/picture.ts';

/** Labelled images that were looked at for the report. */
export interface Examples {
  /** Number of images that were classified for it, spread over all. */
  readonly looked: number;
  /** Of each class, its first images. */
  readonly ofClass: readonly (readonly Picture[])[];
  /** Those that the student took for another class, the surest first. */
  readonly mistakes: readonly Mistake[];
}

/** An image that the student took for another class. */
export interface Mistake {
  readonly picture: Picture;
  readonly truth: number;
  readonly student: Answer;
  /** Null for a teacher that is asked elsewhere. */
  readonly teacher: Answer | null;
}

/** A class, and how sure the network is of it, 0..1. */
export interface Answer {
  readonly label: number;
  readonly probability: number;
}

/** What examples are taken from. */
export interface ExamplesSource {
  readonly teacher: Model;
  readonly student: Model;
  /** Labelled, of the networks' size. */
  readonly images: ImageSet;
  /** No batch begins later. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
}

const BATCH = 250;
const MOST_IMAGES = 5000;
const MOST_MISTAKES = 32;
const OF_CLASS = 8;
const MOST_CLASSES = 100;
const MOST_SIDE = 64;

/**
 * Looks for what a report shows of real images: some of each class, and the student's mistakes with what the teacher says
 * of them. Stops at 32 mistakes, 5,000 images or the deadline.
 */
export async function collectExamples(
  backend: TensorBackend,
  { teacher, student, images, deadlineMs, signal }: ExamplesSource,
): Promise<Examples> {
  const labels = images.labels!;
  const take = (index: number): Picture => fitPicture(pictureOfBytes(images.pixels, index, images), MOST_SIDE);
  const ofClass: Picture[][] = [];
  for (let index = 0; index < images.count; index++) {
    const label = labels[index];
    if (label >= MOST_CLASSES) continue;
    while (ofClass.length <= label) ofClass.push([]);
    if (ofClass[label].length < OF_CLASS) ofClass[label].push(take(index));
  }
  const networks = [createNetwork(backend, student)];
  if (teacher.answer === undefined) networks.push(createNetwork(backend, teacher));
  const mistakes: Mistake[] = [];
  const order = spreadOrder(images.count);
  let looked = 0;
  try {
    while (looked < Math.min(images.count, MOST_IMAGES) && mistakes.length < MOST_MISTAKES) {
      const end = Math.min(images.count, looked + BATCH);
      const indices = order.slice(looked, end);
      const batch = pickImages(images, indices);
      const [ofStudent, ofTeacher] = [
        await classify(networks[0], batch, { signal }),
        networks.length > 1 ? await classify(networks[1], batch, { signal }) : null,
      ];
      ofStudent.forEach(({ label, probabilities }, offset) => {
        const truth = labels[indices[offset]];
        if (label === truth) return;
        const other = ofTeacher?.[offset];
        mistakes.push({
          picture: take(indices[offset]),
          truth,
          student: { label, probability: probabilities[label] },
          teacher: other === undefined ? null : { label: other.label, probability: other.probabilities[other.label] },
        });
      });
      looked = end;
      if (performance.now() > deadlineMs) break;
    }
  } finally {
    for (const network of networks) network.dispose();
  }
  mistakes.sort((one, other) => other.student.probability - one.student.probability);
  return { looked, ofClass, mistakes: mistakes.slice(0, MOST_MISTAKES) };
}
