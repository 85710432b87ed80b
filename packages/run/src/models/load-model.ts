import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DaflError, describeClassifier, fail, type Graph, type Model, shrink } from '@dafl/core';
import {
  type ArchitectureOptions,
  architectures,
  builtInTeacher,
  createArchitecture,
  listTeachers,
  importModel,
  markLogits,
  writeModel,
} from '@dafl/models/reading';
import type { EndpointOptions } from '../answers/open-inference.ts';
import type { DistillationOptions } from '../options/distillation-options.ts';
import { isAddress } from '../options/is-address.ts';
import { lowRankShare } from '../options/low-rank-share.ts';
import { runFolder } from '../folder/run-folder.ts';
import { readSibling } from '../folder/read-sibling.ts';
import type { FactorizationSettings } from './factorize-convolutions.ts';
import { pairUnit } from './pair-unit.ts';
import { showAsPictures } from './show-as-pictures.ts';
import { steadyBatchNorms } from './steady-batch-norms.ts';
import { suggestName } from '../options/suggest-name.ts';
import { widthShares } from '../options/width-shares.ts';
import { systemErrorCode } from '../folder/storage-error.ts';

/** A model with what tells it from others. */
export interface LoadedModel {
  readonly model: Model;
  /** Of the file; of a built-in teacher, of the file that it makes when written. Hexadecimal. */
  readonly sha256: string;
  readonly sizeBytes: number;
  /** What was found or assumed as the file was read, in sentences: to be told to whoever named it. */
  readonly notes: readonly string[];
  /**
   * Of a teacher that only answers, where it is a file: its layers without their weights, for students of its kind.
   *
   * @throws {DaflError} `MODEL` if the file has layers that can't be turned into dafl's.
   */
  readonly readStructure?: () => Promise<Graph>;
}

/** What a model is and takes, where its file does not say so. */
export type ModelOptions = Pick<
  DistillationOptions,
  'logits' | 'mean' | 'std' | 'range' | 'architecture' | 'inputSize'
>;

/**
 * Loads a model.
 *
 * @param source Name of a built-in teacher, or path of a model file.
 * @param options What the model is and takes, where the file does not say so.
 * @throws {DaflError} `MODEL` if there is none, the file holds no sound model, or it has no node `logits`.
 */
export async function loadModel(source: string, { logits, ...options }: ModelOptions = {}): Promise<LoadedModel> {
  const loaded = await loadUnmarked(source, options);
  return logits === undefined ? loaded : { ...loaded, model: markLogits(loaded.model, logits) };
}

async function loadUnmarked(source: string, options: ModelOptions): Promise<LoadedModel> {
  if (listTeachers().includes(source)) {
    const { mean, std, range, architecture, inputSize } = options;
    for (const [name, value] of Object.entries({ mean, std, range, architecture, inputSize })) {
      if (value === undefined) continue;
      const as = `'${name}' must not be given for a built-in teacher, which says so itself`;
      fail({ cannot: `use '${source}'`, as, value: JSON.stringify(value) });
    }
    const model = await builtInTeacher(source);
    return { model, ...fingerprintFile(writeModel(model)), notes: [] };
  }
  return await importFile(source, listTeachers(), options);
}

/** @param names What may be given in place of a file. */
async function importFile(given: string, names: readonly string[], options: ModelOptions = {}): Promise<LoadedModel> {
  const source = await fileOf(given);
  const bytes = await readModelFile(source, names);
  if (source.endsWith('.onnx.data')) {
    const value = `the weights of '${source.replace(/\.data$/, '')}'`;
    fail({ code: 'MODEL', cannot: `read '${source}'`, as: 'it must be a model', value });
  }
  const parts = [bytes];
  const { mean, std, range, architecture, inputSize: size } = options;
  const imported = await importModel(bytes, source, {
    pixels: { mean, std, range },
    architecture,
    inputSize: sidesOf(size),
    readSibling: async (name, leastBytes) => {
      const content = await readSibling(dirname(source), name, leastBytes);
      parts.push(content);
      return content;
    },
  });
  const shown = showAsPictures(imported.model, sidesOf(size));
  const { model, note } = pairUnit(shown.model);
  const notes = [shown.note, note, ...imported.notes].filter((sentence) => sentence !== undefined);
  const isUnknown = model.graph.preprocessing === undefined && model.graph.inputShape.length === 3;
  if (isUnknown) {
    // Loaded where it is needed: most files say how they take pixels.
    const { describePixelConventions } = await import('./describe-pixel-conventions.ts');
    notes.push(await describePixelConventions(model));
  }
  return { model, notes, ...fingerprintFile(...parts) };
}

/** One side is that of a square. */
function sidesOf(size: ModelOptions['inputSize']): [height: number, width: number] | undefined {
  return size === undefined ? undefined : [size[0], size[1] ?? size[0]];
}

/** A model of TensorFlow.js is a folder, in which model.json names the other files. */
async function fileOf(source: string): Promise<string> {
  const path = join(source, 'model.json');
  const isThere = await stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
  return isThere ? path : source;
}

/** Options of `loadTeacher`. */
export type TeacherSource = ModelOptions & Pick<DistillationOptions, 'teacher' | 'answersOnly'>;

/** How a teacher is reached. */
export interface TeacherAccess {
  readonly signal?: AbortSignal;
  /**
   * Sent as a bearer token to a teacher at an address; absent: what the environment variable DAFL_TEACHER_TOKEN holds. Not an
   * option of the distillation: these are written to the run's record.
   */
  readonly teacherToken?: string;
  /** See `EndpointOptions`. */
  readonly onSlowAnswer?: EndpointOptions['onSlowAnswer'];
}

/** What can stand in a header. It is shown nowhere, also not where it is wrong. */
function checkToken(token: string | undefined): string | undefined {
  if (token === undefined || /^[\x21-\x7e]+$/.test(token)) return token;
  throw new DaflError(
    'USAGE',
    "Cannot ask the teacher as 'teacherToken' must be visible ASCII characters without spaces: current value is not shown",
  );
}

/**
 * Loads the teacher of a distillation.
 *
 * @throws {DaflError} `MODEL` if there is none, the file holds no sound model, or it has no node `logits`.
 */
export async function loadTeacher(
  { teacher, logits, answersOnly, mean, std, range, architecture, inputSize }: TeacherSource,
  { signal, teacherToken, onSlowAnswer }: TeacherAccess = {},
): Promise<LoadedModel> {
  const isEndpoint = isAddress(teacher);
  if (teacherToken !== undefined && !isEndpoint) {
    fail({
      cannot: `use '${teacher}'`,
      as: "'teacherToken' must be given for a teacher at an address alone",
      value: 'not shown',
    });
  }
  if (isEndpoint || answersOnly === true) {
    for (const [option, value] of Object.entries({ logits, architecture })) {
      if (value !== undefined) {
        fail({
          cannot: `use '${teacher}'`,
          as: `'${option}' must not be set for a teacher that only answers`,
          value: `'${value}'`,
        });
      }
    }
    const token = checkToken(teacherToken ?? process.env['DAFL_TEACHER_TOKEN']);
    const bytes = isEndpoint ? Buffer.from(teacher) : await readModelFile(teacher, []);
    // Loaded where it is needed, as what `factorizeConvolutions` computes with is.
    const { opaqueModel } = await import('../answers/opaque-model.ts');
    const program = isEndpoint
      ? await (await import('../answers/open-inference.ts')).openInference(teacher, { token, signal, onSlowAnswer })
      : await (await import('../answers/onnx-runtime.ts')).onnxRuntime(teacher, bytes);
    return {
      ...(await opaqueModel(program, { mean, std, range, inputSize: sidesOf(inputSize) })),
      ...fingerprintFile(bytes),
      ...(!isEndpoint && {
        readStructure: async () => (await importFile(teacher, [], { mean, std, range, inputSize })).model.graph,
      }),
    };
  }
  try {
    return await loadModel(teacher, { logits, mean, std, range, architecture, inputSize });
  } catch (error) {
    if (!(error instanceof DaflError) || !error.message.includes(UNSUPPORTED_NODES)) throw error;
    throw new DaflError(error.code, `${error.message}. It can still teach by its answers alone (--answers-only)`, {
      cause: error,
    });
  }
}

/** What the importer of ONNX says of nodes that it does not know. */
const UNSUPPORTED_NODES = 'its nodes must be ones that this version of dafl can turn into its own';

/** SHA-256 and size of the content of a file, or of several one after another. */
export function fingerprintFile(...parts: readonly Uint8Array[]): { sha256: string; sizeBytes: number } {
  const hash = createHash('sha256');
  for (const bytes of parts) hash.update(bytes);
  return { sha256: hash.digest('hex'), sizeBytes: parts.reduce((total, bytes) => total + bytes.length, 0) };
}

/** @param names What may be given in place of a file. */
async function readModelFile(path: string, names: readonly string[]): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    // What can be said of an address or a folder helps more than the names of built-in models.
    const found = isAddress(path)
      ? 'an address, which only the teacher of a distillation can be'
      : code === 'EISDIR'
        ? await describeFolder(path)
        : code === 'ENOENT'
          ? `no such file${await suggestName(path, names)}`
          : `current error is ${code}`;
    throw new DaflError(
      'MODEL',
      `Cannot read '${path}' as it must be a model file or one of [${names.join(', ')}]: ${found}`,
      { cause: error },
    );
  }
}

/** What stands in the place of a model file, and where the model is if it is a run. */
async function describeFolder(path: string): Promise<string> {
  const { student } = runFolder(path);
  const isRun = await stat(student).then(
    (found) => found.isFile(),
    () => false,
  );
  return isRun ? `a run, whose student is '${student}'` : 'a folder without model.json';
}

/** A student before its first step. */
export interface StudentSource {
  readonly graph: Graph;
  /** What it is a narrower form of. */
  readonly wideGraph?: Graph;
  /** Where the kind of student says what it starts from. */
  readonly weights?: Model['weights'];
}

/**
 * A student.
 *
 * @param source `'half'`, `'quarter'`, a share of the teacher's widths in (0, 1], `'low-rank'` or `'low-rank-SHARE'` (of
 *   the teacher's multiply-accumulates), the name of an architecture (made for the teacher's classes and images), or the
 *   path of a model file, whose weights, mean and deviation are ignored.
 * @param settings With the layers of a teacher that only answers; see `LoadedModel`.
 * @throws {DaflError} `MODEL` if a file holds no sound model, or the teacher can't be factorized; `USAGE` if a share is out
 *   of range, or of what is not known.
 */
export async function loadStudent(
  source: string | number,
  teacher: Model,
  { readStructure, ...settings }: FactorizationSettings & Pick<LoadedModel, 'readStructure'> = {},
): Promise<StudentSource> {
  const { graph } = teacher;
  const ratio = typeof source === 'number' ? source : widthShares.get(source);
  const lowRank = ratio === undefined ? lowRankShare(String(source)) : undefined;
  if (teacher.answer !== undefined && (ratio !== undefined || lowRank !== undefined)) {
    const refuse = (reason: string, cause?: unknown): never => {
      throw new DaflError(
        'USAGE',
        `Cannot make a student of '${graph.name}' as 'student' must be an architecture or a model file where the teacher only answers${reason}: current value is ${source}`,
        { cause },
      );
    };
    if (ratio === undefined || readStructure === undefined) return refuse('');
    const structure = await readStructure().catch((error: unknown) => {
      if (error instanceof DaflError) return refuse(` and its layers can't be read (${error.message})`, error);
      throw error;
    });
    const { preprocessing, classNames = structure.classNames } = graph;
    const student = { ...steadyBatchNorms(shrink(structure, ratio)), preprocessing, classNames };
    return { graph: student, wideGraph: structure };
  }
  if (ratio !== undefined) return { graph: steadyBatchNorms(shrink(graph, ratio)), wideGraph: graph };
  if (lowRank !== undefined)
    return (await import('./factorize-convolutions.ts')).factorizeConvolutions(teacher, lowRank, settings);
  const { classes, inputShape, preprocessing } = describeClassifier(graph);
  const made = await loadArchitecture(String(source), { classes, inputShape }, [...widthShares.keys(), 'low-rank']);
  // What reads other images is for `distill` to refuse.
  if (made.inputShape.join() !== inputShape.join()) return { graph: made };
  // The student reads what its teacher reads, so that evaluation can't disagree with training.
  const classNames = describeClassifier(made).classes === classes ? graph.classNames : made.classNames;
  return { graph: { ...made, preprocessing, classNames } };
}

/**
 * A graph without weights.
 *
 * @param source Name of an architecture, or path of a model file.
 * @param options Of the architecture; a file has its own.
 * @param others What else may be named where this is called.
 * @throws {DaflError} `MODEL` if there is none, or the file holds no sound model.
 */
export async function loadArchitecture(
  source: string,
  options: ArchitectureOptions = {},
  others: readonly string[] = [],
): Promise<Graph> {
  if (architectures.has(source)) return createArchitecture(source, options);
  return (await importFile(source, [...others, ...architectures.keys()])).model.graph;
}
