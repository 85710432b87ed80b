import { fail, showValue } from '@dafl/core';
import { findTeacher } from './_find-teacher.ts';
import { readUrl } from './_read-url.ts';
import type { StoredTeacher } from './_teachers.ts';

/** How a built-in teacher came to be. A record may hold more than these. */
export interface TeacherRecord {
  /** The command line that trained it. */
  readonly command: string;
  /** Every option of that run, defaults included. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly seed: number;
  /** Share of the official test images that it classifies rightly, 0..1. */
  readonly accuracy: number;
  /** What it was trained on: processor, cores, memory, system. */
  readonly machine: Readonly<Record<string, unknown>>;
  /** Of the packages and of the runtime, by name. */
  readonly versions: Readonly<Record<string, string>>;
  /** Of the model file, 64 hexadecimal digits. */
  readonly sha256: string;
}

/**
 * Reads the training record of a built-in teacher.
 *
 * @param name One of `listTeachers()`.
 * @throws {DaflError} `USAGE` if there is none of that name; `STORAGE` if its record can't be read; `MODEL` if the record
 * is none.
 * @example
 * ```ts
 * const { accuracy, sha256 } = await readTeacherRecord('lenet5-mnist');
 * ```
 */
export async function readTeacherRecord(name: string): Promise<TeacherRecord> {
  return loadTeacherRecord(findTeacher(name));
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

const rules: Readonly<Record<keyof TeacherRecord, readonly [rule: string, holds: (value: unknown) => boolean]>> = {
  command: ['text', (value) => typeof value === 'string'],
  options: ['an object', isObject],
  seed: ['an integer >= 0', (value) => Number.isInteger(value) && (value as number) >= 0],
  accuracy: ['a number in [0, 1]', (value) => typeof value === 'number' && value >= 0 && value <= 1],
  machine: ['an object', isObject],
  versions: ['an object', isObject],
  sha256: ['64 hexadecimal digits', (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)],
};

/** Reads a teacher's record from where it is stored. */
export async function loadTeacherRecord({ record }: StoredTeacher): Promise<TeacherRecord> {
  const name = showValue(record.pathname.split('/').at(-1));
  const text = new TextDecoder().decode(await readUrl(record));
  let value: Readonly<Record<string, unknown>>;
  try {
    value = JSON.parse(text) as typeof value;
  } catch (error) {
    fail({
      code: 'MODEL',
      cannot: `read ${name}`,
      as: 'a training record as it must be JSON',
      value: showValue(text),
      cause: error,
    });
  }
  for (const [field, [rule, holds]] of Object.entries(rules)) {
    if (!isObject(value) || !holds(value[field])) {
      const current = isObject(value) ? value[field] : value;
      fail({
        code: 'MODEL',
        cannot: `read ${name}`,
        as: `a training record as '${field}' must be ${rule}`,
        value: showValue(current),
      });
    }
  }
  return value as unknown as TeacherRecord;
}
