import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { DaflError, describeClassifier, type Graph, type Model, shrink } from '@dafl/core';
import {
  type ArchitectureOptions,
  architectures,
  builtInTeacher,
  createArchitecture,
  listTeachers,
  markLogits,
  readModel,
  writeModel,
} from '@dafl/models';
import type { DistillationOptions } from './distillation-options.ts';
import { systemErrorCode } from './storage-error.ts';

/** A model with what tells it from others. */
export interface LoadedModel {
  readonly model: Model;
  /** Of the file; of a built-in teacher, of the file that it makes when written. Hexadecimal. */
  readonly sha256: string;
  readonly sizeBytes: number;
}

/**
 * Loads a model.
 *
 * @param source Name of a built-in teacher, or path of a model file.
 * @throws {DaflError} `MODEL` if there is none, or the file holds no sound model.
 */
export async function loadModel(source: string): Promise<LoadedModel> {
  if (listTeachers().includes(source)) {
    const model = await builtInTeacher(source);
    return { model, ...fingerprintFile(writeModel(model)) };
  }
  const bytes = await readModelFile(source, listTeachers());
  return { model: readModel(bytes, source), ...fingerprintFile(bytes) };
}

/** Options of `loadTeacher`. */
export type TeacherSource = Pick<DistillationOptions, 'teacher' | 'logits'>;

/**
 * Loads the teacher of a distillation.
 *
 * @throws {DaflError} `MODEL` if there is none, the file holds no sound model, or it has no node `logits`.
 */
export async function loadTeacher({ teacher, logits }: TeacherSource): Promise<LoadedModel> {
  const loaded = await loadModel(teacher);
  return logits === undefined ? loaded : { ...loaded, model: markLogits(loaded.model, logits) };
}

/** SHA-256 and size of a file's content. */
export function fingerprintFile(bytes: Uint8Array): { sha256: string; sizeBytes: number } {
  return { sha256: createHash('sha256').update(bytes).digest('hex'), sizeBytes: bytes.length };
}

/** @param names What may be given in place of a file. */
async function readModelFile(path: string, names: readonly string[]): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    const found = code === 'ENOENT' ? 'no such file' : `current error is ${code}`;
    throw new DaflError(
      'MODEL',
      `Cannot read '${path}' as it must be a model file or one of [${names.join(', ')}]: ${found}`,
      { cause: error },
    );
  }
}

const shares: Readonly<Record<string, number>> = { half: 0.5, quarter: 0.25 };

/**
 * The graph of a student.
 *
 * @param source `'half'`, `'quarter'`, a share of the teacher's widths in (0, 1], the name of an architecture (made for the
 *   teacher's classes and images), or the path of a model file whose weights are ignored.
 * @throws {DaflError} `MODEL` if a file holds no sound model; `USAGE` if a share is out of range.
 */
export async function loadStudentGraph(source: string | number, teacher: Graph): Promise<Graph> {
  const ratio = typeof source === 'number' ? source : shares[source];
  if (ratio !== undefined) return shrink(teacher, ratio);
  if (!architectures.has(String(source))) return await loadArchitecture(String(source));
  const { classes, inputShape, preprocessing } = describeClassifier(teacher);
  // The student reads what its teacher reads, so that evaluation can't disagree with training.
  return {
    ...createArchitecture(String(source), { classes, inputShape }),
    preprocessing,
    classNames: teacher.classNames,
  };
}

/**
 * A graph without weights.
 *
 * @param source Name of an architecture, or path of a model file.
 * @param options Of the architecture; a file has its own.
 * @throws {DaflError} `MODEL` if there is none, or the file holds no sound model.
 */
export async function loadArchitecture(source: string, options: ArchitectureOptions = {}): Promise<Graph> {
  if (architectures.has(source)) return createArchitecture(source, options);
  return readModel(await readModelFile(source, [...architectures.keys()]), source).graph;
}
