import type { MethodName } from './method-name.ts';

/** What each method reads beside the teacher, as a sentence for people who get the student. */
export const dataUse: Readonly<Record<MethodName, string>> = {
  procedural: 'No training data was used: the student learned from procedural pictures, which are drawn by rules.',
  pool: 'No training data was used: the student learned from a pool of images of a generator that only the teacher and the student trained.',
  dafl: 'No training data was used: the student learned from images of a generator that only the teacher trained.',
  noise: 'No training data was used: the student learned from normal noise.',
  'alternative-data': 'No training data was used: the student learned from other images, without labels.',
  'original-data': "The teacher's own training images were used, without labels.",
  metadata:
    "No training image was used: the student learned from images made from statistics of the teacher's activations on its training data.",
};
