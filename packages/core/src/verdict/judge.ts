import { aboveChance } from './above-chance.ts';
import type { Marks } from './examination.ts';

/** What to think of a student where there is no labelled data to say it. */
export interface Verdict extends Marks {
  /**
   * `'good'`: as runs whose accuracy was close to that of a student of the real data; `'poor'`: as runs that failed;
   * `'doubtful'`: between them.
   */
  readonly level: 'good' | 'doubtful' | 'poor';
  /** What speaks against the student, in sentences without a full stop; empty for a good one. */
  readonly reasons: readonly string[];
}

/** Agreements, 0..1: from `good` on, runs came within six points of a student of the real data; below `poor`, they did not. */
export interface VerdictBounds {
  readonly good: number;
  readonly poor: number;
}

/** The task that a student is judged in. */
export interface VerdictTask {
  /** Of the images, >= 1. */
  readonly channels: number;
  /** Of the teacher, >= 2. */
  readonly classes: number;
}

/** Classes of the teachers that the bounds were found with. */
const USUAL_CLASSES = 10;

/**
 * What to expect of a student. Of grey pictures, and of teachers that defaults were chosen by, runs that came within six points of
 * a student of the real data agreed on 49 % and more, those that were further below on 62 % and less. Pictures in colour vary in
 * more ways, most of which the task does not ask for, so that good students agree on fewer: with ResNet-20 on CIFAR-10 on 55 to
 * 60 %, on digits in random colours on 49 to 52 %, where runs of a tenth of the length agreed on 31 to 37 %. Where there are few
 * classes, chance agrees on many pictures: the bounds lie as far above chance as they do for ten classes.
 */
export function verdictBounds({ channels, classes }: VerdictTask): VerdictBounds {
  const { good, poor } = channels === 1 ? { good: 0.65, poor: 0.5 } : { good: 0.55, poor: 0.45 };
  return { good: withChance(good, classes), poor: withChance(poor, classes) };
}

/** The agreement that lies as far above the chance of so many classes as `agreement` does above that of ten. */
function withChance(agreement: number, classes: number): number {
  const chance = 1 / classes;
  return chance + aboveChance(agreement, USUAL_CLASSES) * (1 - chance);
}

/** A class on which the student agrees less often than this, of ten, is lost. */
const LOST_CLASS = 0.2;
/** So many lost classes make a student poor. */
const POOR_LOST_SHARE = 0.15;

/**
 * Judges a student by its marks.
 *
 * @param channels Of the images that it takes, >= 1.
 */
export function judge(marks: Marks, channels: number): Verdict {
  const { agreement, classAgreements } = marks;
  const classes = classAgreements.length;
  const bounds = verdictBounds({ channels, classes });
  const lostBelow = withChance(LOST_CLASS, classes);
  const lost = classAgreements.filter((share) => share !== null && share < lostBelow).length;
  const unseen = classAgreements.filter((share) => share === null).length;
  const reasons: string[] = [];
  if (agreement < bounds.good) {
    reasons.push(
      `it names the teacher's class on ${(agreement * 100).toFixed(0)} % of ${marks.pictures} pictures that it did not learn from; good students reach ${(bounds.good * 100).toFixed(0)} %`,
    );
  }
  if (lost > 0) reasons.push(`it hardly knows ${lost} of the teacher's ${classes} classes`);
  if (unseen > 0) reasons.push(`no picture was found for ${unseen} of the teacher's ${classes} classes`);
  const isPoor = agreement < bounds.poor || lost / classes > POOR_LOST_SHARE || unseen / classes > 0.5;
  return { ...marks, level: isPoor ? 'poor' : reasons.length > 0 ? 'doubtful' : 'good', reasons };
}
