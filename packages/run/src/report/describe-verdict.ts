import type { Verdict } from '@dafl/core';

const openings: Readonly<Record<Verdict['level'], string>> = {
  good: 'Judged without data: good',
  doubtful: 'Judged without data: doubtful',
  poor: 'Judged without data: likely poor',
};

/** What helped students of other teachers, the cheapest first. */
const ADVICE =
  'Try more --steps, a wider --student, or one that starts from the teacher (--student half rather than an architecture of its own)';

/** A verdict as a line for people, and what to try where it is not good. */
export function describeVerdict(verdict: Verdict): { readonly line: string; readonly advice: string | null } {
  const { level, reasons, agreement, pictures } = verdict;
  const because =
    reasons.length > 0
      ? reasons.join('; ')
      : `on ${(agreement * 100).toFixed(0)} % of ${pictures} pictures that it did not learn from it names the teacher's class`;
  return { line: `${openings[level]}, as ${because}`, advice: level === 'good' ? null : ADVICE };
}
