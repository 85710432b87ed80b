import { expect, it } from 'vitest';
import { judge } from './judge.ts';

const marksOf = (...classAgreements: (number | null)[]) => {
  const known = classAgreements.filter((share) => share !== null);
  const agreement = known.reduce((sum, share) => sum + share, 0) / known.length;
  return { pictures: 100, agreement, classAgreements, clearAgreement: agreement };
};

it.each([
  ['good', [0.9, 0.8, 0.75, 0.85]],
  ['doubtful', [0.75, 0.7, 0.7, 0.65]],
  // Two classes: half of it is chance.
  ['good', [0.9, 0.8]],
  ['doubtful', [0.8, 0.78]],
  ['doubtful', [0.75, 0.75]],
  ['poor', [0.7, 0.7]],
  // Always the same of two, nearly.
  ['poor', [1, 0.5]],
  // A hundred classes: hardly any is.
  ['good', Array<number>(100).fill(0.62)],
  ['doubtful', Array<number>(100).fill(0.5)],
  ['poor', Array<number>(100).fill(0.44)],
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
    "it names the teacher's class on 25 % of 100 pictures that it did not learn from; good students reach 69 %",
    "it hardly knows 3 of the teacher's 5 classes",
    "no picture was found for 1 of the teacher's 5 classes",
  ]);
});

it('expects less where pictures have colours', () => {
  const levelOf = (agreement: number, channels: number): string =>
    judge(marksOf(...Array<number>(10).fill(agreement)), channels).level;
  expect([0.56, 0.5, 0.4].map((agreement) => levelOf(agreement, 3))).toEqual(['good', 'doubtful', 'poor']);
  expect([0.56, 0.48].map((agreement) => levelOf(agreement, 1))).toEqual(['doubtful', 'poor']);
});
