import type { Verdict } from '@dafl/core';
import { expect, test } from 'vitest';
import { describeVerdict } from './describe-verdict.ts';

const verdict = { level: 'poor', agreement: 0.2, pictures: 100, reasons: [] } as unknown as Verdict;

test.each([
  ['half', {}, 'Try more --steps or a wider --student'],
  [0.25, {}, 'Try more --steps or a wider --student'],
  ['low-rank', {}, 'Try more --steps or a wider --student'],
  ['half', { initialization: 'random' }, /one that starts from the teacher \(--initialization auto\)$/],
  ['resnet20', {}, /one that starts from the teacher \(--student half rather than an architecture of its own\)$/],
  ['resnet20', { answersOnly: true }, 'Try more --steps or a wider --student'],
  ['resnet20', { teacher: 'http://host/v2/models/x' }, 'Try more --steps or a wider --student'],
] as const)('what is left to try with the student %s and %j', (student, others, advice) => {
  const { advice: told } = describeVerdict(verdict, { teacher: 'teacher.onnx', student, ...others });
  expect(told).toMatch(advice);
});
