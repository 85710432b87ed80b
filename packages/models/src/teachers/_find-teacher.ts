import { fail, showValue } from '@dafl/core';
import { type StoredTeacher, teachers } from './_teachers.ts';

/** @throws {DaflError} `USAGE` if there is no teacher of that name. */
export function findTeacher(name: string): StoredTeacher {
  const teacher = teachers.get(name);
  if (teacher === undefined) {
    fail({
      cannot: 'load built-in teacher',
      as: `its name must be one of [${[...teachers.keys()].join(', ')}]`,
      value: showValue(name),
    });
  }
  return teacher;
}
