import { createRandomStream, DaflError, fail, type Graph, initializeWeights, type Model } from '@dafl/core';
import { describePreprocessor, writeKeras, writeOnnx, writeTfjs } from '@dafl/models';
import type { RunFolder } from '../folder/run-folder.ts';
import { writeFileAtomically } from '../folder/write-file-atomically.ts';
import { writeModelFiles } from '../models/write-model-files.ts';

/** A format in which a run can write its student, beside its own. */
interface StudentExport {
  /** Behind `write the student`. */
  readonly title: string;
  /** The files, by path. Throws where the format has nothing for a node. */
  readonly encode: (student: Model, folder: RunFolder) => ReadonlyMap<string, Uint8Array>;
  readonly write: (files: ReadonlyMap<string, Uint8Array>, folder: RunFolder) => Promise<void>;
}

const writeEach = async (files: ReadonlyMap<string, Uint8Array>): Promise<void> => {
  for (const [path, bytes] of files) await writeFileAtomically(path, bytes);
};

const formats: Readonly<Record<string, StudentExport>> = {
  onnx: {
    title: 'as ONNX',
    encode: (student, folder) =>
      new Map([
        [folder.studentOnnx, writeOnnx(student)],
        [folder.studentPreprocessor, Buffer.from(`${JSON.stringify(describePreprocessor(student.graph), null, 2)}\n`)],
      ]),
    write: writeEach,
  },
  keras: {
    title: 'for Keras',
    encode: (student, folder) => new Map([[folder.studentKeras, writeKeras(student)]]),
    write: writeEach,
  },
  tfjs: {
    title: 'for TensorFlow.js',
    encode: (student) => writeTfjs(student),
    write: async (files, folder) => await writeModelFiles(folder.studentTfjs, files),
  },
};

/** Options that name what is written beside the student's own file. */
export interface ExportOptions {
  /** Formats, with commas between them. */
  readonly export?: string;
  /** Bytes are written as ONNX. */
  readonly quantize?: string;
}

/** What is to be written, each with what it is called and how it is done. */
export function studentExports(
  student: Model,
  options: ExportOptions,
  folder: RunFolder,
): { readonly title: string; readonly write: () => Promise<void> }[] {
  const named = new Set(options.export?.split(','));
  return Object.entries(formats).flatMap(([name, { title, encode, write }]) =>
    named.has(name) ? [{ title, write: async () => await write(encode(student, folder), folder) }] : [],
  );
}

/**
 * Makes sure, before the first step, that the student can be written as is asked for: it is tried with weights that are
 * drawn, as what a format has depends on the nodes alone.
 *
 * @throws {DaflError} `USAGE` if it can't; all that fails is named.
 */
export function assertExportable(student: Graph, options: ExportOptions, folder: RunFolder): void {
  const wanted = new Map([
    ...(options.quantize === undefined ? [] : ([['onnx', 'quantize']] as const)),
    ...(options.export?.split(',') ?? []).map((format) => [format, 'export'] as const),
  ]);
  if (wanted.size === 0) return;
  const model = initializeWeights(student, createRandomStream(0, 'export'));
  const failures = [...wanted].flatMap(([format, option]) => {
    try {
      formats[format].encode(model, folder);
      return [];
    } catch (error) {
      if (!(error instanceof DaflError)) throw error;
      return [{ option, format, reason: error.message }];
    }
  });
  if (failures.length === 0) return;
  const [{ option }] = failures;
  const value = String(options[option]);
  const reasons = failures.map(({ format, reason }) => `${format}: ${reason}`).join('; ');
  fail({
    cannot: 'distill',
    as: `'${option}' must name formats that the student can be written in`,
    value: `${value}. ${reasons}`,
  });
}
