import { readFile, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DaflError, fail } from '@dafl/core';
import { writeCommand } from '../options/write-command.ts';
import { systemErrorCode } from './storage-error.ts';
import { listFolder, removeTemporaryFiles } from './write-file-atomically.ts';

/** Where the files of a run lie. */
export interface RunFolder {
  readonly path: string;
  /** The record: every option, what came out, on what machine. */
  readonly record: string;
  /** One line of JSON for each step, evaluation and warning. */
  readonly metrics: string;
  readonly checkpoints: string;
  /** The native model. */
  readonly student: string;
  /** The student as ONNX, where it was asked for. */
  readonly studentOnnx: string;
  /** What pictures need before it, and its classes, in the words of Hugging Face's files. */
  readonly studentPreprocessor: string;
  /** The student as Keras has it, where it was asked for. */
  readonly studentKeras: string;
  /** The student's model.json for TensorFlow.js, beside its weights, where it was asked for. */
  readonly studentTfjs: string;
  /** The student in eight bits, where it was asked for. */
  readonly studentInt8: string;
  /** What the student is, for those who get it. */
  readonly modelCard: string;
  /** The grid of generated images as the last picture showed them. */
  readonly samplesImage: string;
  /** Such grids over time. */
  readonly samples: string;
  readonly report: string;
  /** Drawings of the report, for slides and papers; those that there is something for. */
  readonly figures: Readonly<Record<FigureName, string>>;
  /** Event files, where they were asked for. */
  readonly tensorboard: string;
}

/** The drawings of a run: its curves, the images over time, mistakes, features and first layers. */
export type FigureName = 'curves' | 'timeline' | 'confusion' | 'features' | 'filters';

const FIGURES: readonly FigureName[] = ['curves', 'timeline', 'confusion', 'features', 'filters'];

/** Names of a run's files and folders within its folder. */
const ENTRIES = [
  'run.json',
  'metrics.jsonl',
  'checkpoints',
  'student',
  'samples.png',
  'samples',
  'report.html',
  'tensorboard',
  ...FIGURES.map((name) => `${name}.svg`),
];

/** The files of a run in `path`; nothing is read or written. */
export function runFolder(path: string): RunFolder {
  return {
    path,
    record: join(path, 'run.json'),
    metrics: join(path, 'metrics.jsonl'),
    checkpoints: join(path, 'checkpoints'),
    student: join(path, 'student', 'student.safetensors'),
    studentOnnx: join(path, 'student', 'student.onnx'),
    studentPreprocessor: join(path, 'student', 'student.preprocessor_config.json'),
    studentKeras: join(path, 'student', 'student.keras'),
    studentTfjs: join(path, 'student', 'tfjs', 'model.json'),
    studentInt8: join(path, 'student', 'student.int8.onnx'),
    modelCard: join(path, 'student', 'README.md'),
    samplesImage: join(path, 'samples.png'),
    samples: join(path, 'samples'),
    report: join(path, 'report.html'),
    figures: Object.fromEntries(FIGURES.map((name) => [name, join(path, `${name}.svg`)])) as RunFolder['figures'],
    tensorboard: join(path, 'tensorboard'),
  };
}

/**
 * Makes sure that a new run would not overwrite another.
 *
 * @throws {DaflError} `USAGE` if the folder holds files of a run, or is no folder.
 */
export async function assertVacant(folder: RunFolder): Promise<void> {
  const taken = (await listEntries(folder)).find((name) => ENTRIES.includes(name));
  if (taken === undefined) return;
  const advice = (await isRunRecord(folder.record))
    ? `Choose another folder, go on with ${writeCommand([], [['--resume', folder.path]])}, or replace it with --force`
    : 'Choose another folder';
  throw new DaflError(
    'USAGE',
    `Cannot write to '${folder.path}' as it must not hold another run: current content is '${taken}'. ${advice}`,
  );
}

/**
 * Makes sure that what a new run would replace is a run: folders named like its own may be anybody's.
 *
 * @throws {DaflError} `USAGE` if the folder holds such files without the record of a run, or is no folder.
 */
export async function assertReplaceable(folder: RunFolder): Promise<void> {
  const taken = (await listEntries(folder)).find((name) => ENTRIES.includes(name));
  if (taken === undefined || (await isRunRecord(folder.record))) return;
  throw new DaflError(
    'USAGE',
    `Cannot replace what is in '${folder.path}' as it must be a run with its run.json: current content is '${taken}'. Choose another folder`,
  );
}

/** What a run writes, by the folder within its own. */
const WRITTEN: readonly (readonly [folder: string, names: RegExp])[] = [
  [join('checkpoints', 'parts'), /^[\w-][\w.-]*\.safetensors$/],
  ['checkpoints', /^step-\d+\.safetensors$/],
  [join('student', 'tfjs'), /^(model\.json|group1-shard\d+of\d+\.bin)$/],
  ['student', /^(student\.(safetensors|onnx|keras|int8\.onnx|preprocessor_config\.json)|README\.md)$/],
  ['samples', /^step-\d+\.png$/],
  ['tensorboard', /^events\.out\.tfevents\.\d+\.dafl\.\d+$/],
  // Last the record, without which nobody could go on with removing them.
  ['.', /^(metrics\.jsonl|report\.html|samples\.png|(timeline|confusion|features|curves|filters)\.(svg|png))$/],
  ['.', /^run\.json$/],
];

/** Removes a run's files, and no others, from its folder. */
export async function clearRun(folder: RunFolder): Promise<void> {
  for (const [part, names] of WRITTEN) {
    const path = join(folder.path, part);
    for (const name of await listFolder(path)) if (names.test(name)) await rm(join(path, name), { force: true });
    if (part !== '.') await removeIfEmpty(path);
  }
}

async function isRunRecord(path: string): Promise<boolean> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    return typeof value === 'object' && value !== null && 'format' in value && value.format === 'dafl-run';
  } catch (error) {
    if (error instanceof SyntaxError || systemErrorCode(error) !== undefined) return false;
    throw error;
  }
}

/** Removes what a killed process left half-written. Call it under the lock. */
export async function removeLeftovers(folder: RunFolder): Promise<void> {
  const { path, checkpoints, samples } = folder;
  for (const part of [path, checkpoints, join(checkpoints, 'parts'), samples, join(path, 'student')]) {
    await removeTemporaryFiles(part);
  }
}

/** Removes a folder if nothing is in it. */
export async function removeIfEmpty(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
  }
}

async function listEntries(folder: RunFolder): Promise<string[]> {
  try {
    return await listFolder(folder.path);
  } catch (error) {
    if (!(error instanceof DaflError) || systemErrorCode(error.cause) !== 'ENOTDIR') throw error;
    fail({ cannot: `write to '${folder.path}'`, as: 'it must be a folder', value: 'a file' });
  }
}
