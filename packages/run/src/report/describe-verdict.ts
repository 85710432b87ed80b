import type { Verdict } from '@dafl/core';
import type { DistillationOptions } from '../options/distillation-options.ts';
import { lowRankShare } from '../options/low-rank-share.ts';

const openings: Readonly<Record<Verdict['level'], string>> = {
  good: 'Judged without data: good',
  doubtful: 'Judged without data: doubtful',
  poor: 'Judged without data: likely poor',
};

/** What of a run's options decides what else can be tried. */
type Tried = Pick<DistillationOptions, 'teacher' | 'answersOnly' | 'student' | 'initialization'>;

/** What helped students of other teachers, the cheapest first. */
function advise({ teacher, answersOnly, student, initialization }: Tried): string {
  const hasWeights = answersOnly !== true && !/^https?:/.test(teacher);
  const isOfTeacher =
    typeof student === 'number' || ['half', 'quarter'].includes(student) || lowRankShare(student) !== undefined;
  if (!hasWeights || (isOfTeacher && initialization !== 'random')) return 'Try more --steps or a wider --student';
  const how = isOfTeacher ? '--initialization auto' : '--student half rather than an architecture of its own';
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
