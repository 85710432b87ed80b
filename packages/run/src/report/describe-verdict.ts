import type { Verdict } from '@dafl/core';
import type { DistillationOptions } from '../options/distillation-options.ts';
import { hasWeights, isFormOfTeacher, startsFromTeacher } from '../recipe/starts-from-teacher.ts';

const openings: Readonly<Record<Verdict['level'], string>> = {
  good: 'Judged without data: good',
  doubtful: 'Judged without data: doubtful',
  poor: 'Judged without data: likely poor',
};

/** What of a run's options decides what else can be tried. */
type Tried = Pick<DistillationOptions, 'teacher' | 'answersOnly' | 'student' | 'initialization'>;

/** What helped students of other teachers, the cheapest first. */
function advise(tried: Tried): string {
  if (!hasWeights(tried) || startsFromTeacher(tried)) return 'Try more --steps or a wider --student';
  const how = isFormOfTeacher(tried.student)
    ? '--initialization auto'
    : '--student half rather than an architecture of its own';
  return `Try more --steps, a wider --student, or one that starts from the teacher (${how})`;
}

/** A verdict as a line for people, and what to try where it is not good. */
export function describeVerdict(
  verdict: Verdict,
  options: Tried,
): { readonly line: string; readonly advice: string | null } {
  const { level, reasons, agreement, pictures } = verdict;
  const because =
    reasons.length > 0
      ? reasons.join('; ')
      : `on ${(agreement * 100).toFixed(0)} % of ${pictures} pictures that it did not learn from it names the teacher's class`;
  return { line: `${openings[level]}, as ${because}`, advice: level === 'good' ? null : advise(options) };
}
