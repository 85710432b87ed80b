import type { DistillationOptions } from '../options/distillation-options.ts';
import { isAddress } from '../options/is-address.ts';
import { lowRankShare } from '../options/low-rank-share.ts';
import { widthShares } from '../options/width-shares.ts';

/** Whether a student is a form of its teacher, and starts from its weights: of a teacher that only answers there are none. */
export function startsFromTeacher({
  teacher,
  answersOnly,
  student,
  initialization,
}: Pick<DistillationOptions, 'teacher' | 'answersOnly' | 'student' | 'initialization'>): boolean {
  return hasWeights({ teacher, answersOnly }) && isFormOfTeacher(student) && initialization !== 'random';
}

/** Whether a teacher's layers can be looked into. */
export function hasWeights({ teacher, answersOnly }: Pick<DistillationOptions, 'teacher' | 'answersOnly'>): boolean {
  return answersOnly !== true && !isAddress(teacher);
}

/** Whether a student is a form of its teacher, rather than an architecture of its own. */
export function isFormOfTeacher(student: DistillationOptions['student']): boolean {
  return typeof student === 'number' || widthShares.has(student) || lowRankShare(student) !== undefined;
}
