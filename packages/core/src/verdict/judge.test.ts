import { expect, it } from 'vitest';
import { judge } from './judge.ts';

const marksOf = (...classAgreements: (number | null)[]) => {
  const known = classAgreements.filter((share) => share !== null);
  const agreement = known.reduce((sum, share) => sum + share, 0) / known.length;
  return { pictures: 100, agreement, classAgreements, clearAgreement: agreement };
};

it.each([
  ['good', [0.9, 0.8, 0.75, 0.85]],
  ['doubtful', [0.7, 0.6, 0.6, 0.6]],
  ['poor', [0.5, 0.5, 0.4, 0.6]],
  // One class in everything: right in that class alone.
  ['poor', [1, 0, 0, 0]],
  // Good on average, but two of ten classes are gone.
  ['poor', [1, 1, 1, 1, 1, 1, 1, 1, 0.1, 0]],
  ['doubtful', [1, 1, 1, 1, 1, 1, 1, 1, 1, 0]],
  ['doubtful', [0.9, 0.9, null]],
  ['poor', [0.9, null, null]],
])('is %s at %j', (level, classAgreements) => {
  const verdict = judge(marksOf(...classAgreements), 1);
  expect(verdict.level).toBe(level);
  expect(verdict.reasons.length === 0).toBe(level === 'good');
});

it('says why', () => {
  expect(judge(marksOf(1, 0, 0, 0, null), 1).reasons).toEqual([
    "it names the teacher's class on 25 % of 100 pictures that it did not learn from; good students reach 65 %",
    "it hardly knows 3 of the teacher's 5 classes",
    "no picture was found for 1 of the teacher's 5 classes",
  ]);
});

it('expects less where pictures have colours', () => {
  expect([0.56, 0.5, 0.4].map((agreement) => judge(marksOf(agreement), 3).level)).toEqual(['good', 'doubtful', 'poor']);
  expect(judge(marksOf(0.56), 1).level).toBe('poor');
});
