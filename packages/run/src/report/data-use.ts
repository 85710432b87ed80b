import type { MethodName } from '../options/method-name.ts';

const NO_DATA = 'No training data was used: the student learned from';

/** What each method reads beside the teacher, as a sentence for people who get the student. */
export const dataUse: Readonly<Record<MethodName, string>> = {
  procedural: `${NO_DATA} procedural pictures, which are drawn by rules.`,
  pool: `${NO_DATA} a pool of images of a generator that only the teacher and the student trained.`,
  dafl: `${NO_DATA} images of a generator that only the teacher trained.`,
  nayer: `${NO_DATA} images of a generator that only the teacher and the student trained.`,
  'deep-inversion': `${NO_DATA} images whose pixels only the teacher and the student trained.`,
  dfq: `${NO_DATA} images of a generator that only the teacher and the student trained.`,
  dfad: `${NO_DATA} images of a generator that only the teacher and the student trained.`,
  zskt: `${NO_DATA} images of a generator that only the teacher and the student trained.`,
  noise: `${NO_DATA} normal noise.`,
  'alternative-data': `${NO_DATA} other images, without labels.`,
  'original-data': "The teacher's own training images were used, without labels.",
  metadata:
    "No training image was used: the student learned from images made from statistics of the teacher's activations on its training data.",
};
