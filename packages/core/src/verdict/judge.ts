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

/**
 * Agreements, 0..1: from `good` on, runs came within six points of a student of the real data; below `poor`, they did not.
 */
export const verdictBounds: { readonly good: number; readonly poor: number } = { good: 0.65, poor: 0.6 };
/** A class on which the student agrees less often than this is lost. */
const LOST_CLASS = 0.2;
/** So many lost classes make a student poor. */
const POOR_LOST_SHARE = 0.15;

/** Judges a student by its marks. */
export function judge(marks: Marks): Verdict {
  const { agreement, classAgreements } = marks;
  const classes = classAgreements.length;
  const lost = classAgreements.filter((share) => share !== null && share < LOST_CLASS).length;
  const unseen = classAgreements.filter((share) => share === null).length;
  const reasons: string[] = [];
  if (agreement < verdictBounds.good) {
    reasons.push(
      `it names the teacher's class on ${(agreement * 100).toFixed(0)} % of ${marks.pictures} pictures that it did not learn from; good students reach ${verdictBounds.good * 100} %`,
    );
  }
  if (lost > 0) reasons.push(`it hardly knows ${lost} of the teacher's ${classes} classes`);
  if (unseen > 0) reasons.push(`no picture was found for ${unseen} of the teacher's ${classes} classes`);
  const isPoor = agreement < verdictBounds.poor || lost / classes > POOR_LOST_SHARE || unseen / classes > 0.5;
  return { ...marks, level: isPoor ? 'poor' : reasons.length > 0 ? 'doubtful' : 'good', reasons };
}
