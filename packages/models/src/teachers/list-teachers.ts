import { teachers } from './_teachers.ts';

/**
 * Names of the built-in teachers.
 *
 * @example
 * ```ts
 * listTeachers(); // ['lenet5-mnist']
 * ```
 */
export function listTeachers(): string[] {
  return [...teachers.keys()];
}
