import type { WarningEvent } from './distill-event.ts';
import type { Classifier } from './model/classifier.ts';
import { softmaxRows } from './predict.ts';

/** Below this share of the images' whole variance, what differs between images is noise. */
const ALIKE_SHARE = 0.02;

/** Below this share of the largest entropy, at least about half of the classes are missing. */
const ENTROPY_SHARE = 0.7;

/**
 * Looks for a generator that makes one image only, or images of few classes only.
 *
 * @param images Shape `[count, ...inputShape]`, normalised.
 * @param logits The teacher's answers, shape `[count, classes]`.
 * @returns What was found, with what to do.
 */
export function detectCollapse(
  images: ArrayLike<number>,
  logits: ArrayLike<number>,
  classifier: Classifier,
): Pick<WarningEvent, 'code' | 'message'>[] {
  const { classes } = classifier;
  const count = logits.length / classes;
  const warnings: Pick<WarningEvent, 'code' | 'message'>[] = [];

  const share = varianceBetweenImages(images, count);
  if (share < ALIKE_SHARE) {
    warnings.push({
      code: 'ALIKE_IMAGES',
      message: `The generated images are nearly identical: ${(share * 100).toFixed(1)} % of their variance is between images. Lower the generator's learning rate or raise the information-entropy weight`,
    });
  }
  const probabilities = softmaxRows(logits, classes);
  let entropy = 0;
  for (let label = 0; label < classes; label++) {
    let total = 0;
    for (let index = 0; index < count; index++) total += probabilities[index * classes + label];
    const mean = total / count;
    if (mean > 0) entropy -= mean * Math.log(mean);
  }
  const reached = entropy / Math.log(classes);
  if (reached < ENTROPY_SHARE) {
    warnings.push({
      code: 'MISSING_CLASSES',
      message: `The generated images cover few classes: their entropy is ${(reached * 100).toFixed(0)} % of the largest. Raise the information-entropy weight or the batch size`,
    });
  }
  return warnings;
}

/** Share of the whole variance that lies between images at the same position. */
function varianceBetweenImages(images: ArrayLike<number>, count: number): number {
  const size = images.length / count;
  let total = 0;
  let totalSquares = 0;
  let between = 0;
  for (let position = 0; position < size; position++) {
    let sum = 0;
    let squares = 0;
    for (let image = 0; image < count; image++) {
      const value = images[image * size + position];
      sum += value;
      squares += value * value;
    }
    between += squares / count - (sum / count) ** 2;
    total += sum;
    totalSquares += squares;
  }
  const whole = totalSquares / images.length - (total / images.length) ** 2;
  // Rounding can leave equal images a variance just below 0.
  return whole > 0 ? Math.max(0, between / size / whole) : 0;
}
