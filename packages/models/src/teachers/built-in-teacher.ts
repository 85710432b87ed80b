import type { Model } from '@dafl/core';
import { readModel } from '../formats/native-model.ts';
import { findTeacher } from './_find-teacher.ts';
import { readUrl } from './_read-url.ts';
import type { StoredTeacher } from './_teachers.ts';

/**
 * Loads a trained network that the package ships. How it was trained tells `readTeacherRecord`.
 *
 * Where the package lies on disk the file is read from there; in a browser it is fetched from beside the module.
 *
 * @param name One of `listTeachers()`.
 * @throws {DaflError} `USAGE` if there is none of that name; `STORAGE` if its file can't be read; `MODEL` if the file is
 * damaged.
 * @example
 * ```ts
 * const teacher = await builtInTeacher('lenet5-mnist');
 * ```
 */
export async function builtInTeacher(name: string): Promise<Model> {
  return loadTeacher(findTeacher(name));
}

/** Loads a teacher from where it is stored. */
export async function loadTeacher({ model }: StoredTeacher): Promise<Model> {
  return readModel(await readUrl(model), model.pathname.split('/').at(-1));
}
