import type { WarningEvent } from './distill-event.ts';
import type { CollapseAdvice } from './methods/method.ts';
import { softmaxRows } from './predict.ts';

/** Below this share of the images' whole variance, what differs between images is noise. */
const ALIKE_SHARE = 0.02;

/** A class that is seen less than this share as often as on average is missing. */
const MISSING_SHARE = 0.1;

/** Fewer of all classes may be missing. */
const TOLERATED_SHARE = 0.05;

/**
 * Looks for images that are one image only, or of some classes only.
 *
 * @param images Shape `[count, ...inputShape]`, normalised.
 * @param logits The teacher's answers, shape `[count, classes]`.
 * @param advice What the method says to do; what it says nothing of is not looked for.
 * @returns What was found, with what to do.
 */
export function detectCollapse(
  images: ArrayLike<number>,
  logits: ArrayLike<number>,
  classes: number,
  { alikeImages, missingClasses }: CollapseAdvice = {},
): Pick<WarningEvent, 'code' | 'message'>[] {
  const count = logits.length / classes;
  const warnings: Pick<WarningEvent, 'code' | 'message'>[] = [];

  const share = varianceBetweenImages(images, count);
  if (alikeImages !== undefined && share < ALIKE_SHARE) {
    warnings.push({
      code: 'ALIKE_IMAGES',
      message: `The images are nearly identical: ${(share * 100).toFixed(1)} % of their variance is between images. ${alikeImages}`,
    });
  }
  const missing = countMissing(logits, classes);
  const each = count / classes;
  // Of so many classes there is no image by chance, were all as likely; few images of many classes tell nothing.
  const byChance = classes * Math.exp(-each);
  if (
    missingClasses !== undefined &&
    missing >= TOLERATED_SHARE * classes &&
    missing > byChance + 3 * Math.sqrt(byChance)
  ) {
    warnings.push({
      code: 'MISSING_CLASSES',
      message: `The images cover ${classes - missing} of ${classes} classes: the teacher hardly sees any of the others. ${missingClasses}`,
    });
  }
  return warnings;
}

/** Classes that get hardly any of the teacher's probabilities. */
function countMissing(logits: ArrayLike<number>, classes: number): number {
  const probabilities = softmaxRows(logits, classes);
  const totals = new Float64Array(classes);
  for (const [index, probability] of probabilities.entries()) totals[index % classes] += probability;
  const least = (MISSING_SHARE * logits.length) / classes ** 2;
  return totals.filter((total) => total < least).length;
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
