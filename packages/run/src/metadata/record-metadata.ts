import { dirname } from 'node:path';
import { recordMetadata } from '@dafl/methods';
import { decomposeAside } from './decompose-aside.ts';
import { loadImagesFor } from '../data/load-images-for.ts';
import type { BackendName } from '../options/distillation-options.ts';
import { loadModel, type ModelOptions } from '../models/load-model.ts';
import { writeMetadata } from './metadata-file.ts';
import type { DownloadSettings } from '../data/mnist-files.ts';
import { selectBackend } from '../machine/select-backend.ts';
import { tryFile } from '../folder/try-file.ts';
import { createFolder, writeFileAtomically } from '../folder/write-file-atomically.ts';

/** What is recorded, and where it goes. */
export interface RecordingOptions extends DownloadSettings, ModelOptions {
  /** Name of a built-in teacher, or path of a model file. */
  readonly teacher: string;
  /** Labelled images: `'mnist'` or a folder. */
  readonly data: string;
  readonly file: string;
  /** Images that are read at most. */
  readonly mostImages?: number;
  readonly backend: 'auto' | BackendName;
  readonly threads?: number;
  readonly allowSoftwareGpu?: boolean;
  /** Replaces a file that is there. */
  readonly force?: boolean;
  /** Told what was found or assumed as the teacher was read, in sentences. */
  readonly onNotes?: (notes: readonly string[]) => void;
  /** Told what computes, and why that. */
  readonly onBackend?: (description: string, reason: string) => void;
}

/** What was recorded. */
export interface RecordingResult {
  readonly file: string;
  readonly sizeBytes: number;
  readonly images: number;
  readonly layers: readonly string[];
  readonly seconds: number;
}

/**
 * Records the metadata of a teacher where its training data is, for `--method metadata` where it is not.
 *
 * @throws {DaflError} `USAGE` if the file is there; `MODEL` or `DATA` for what is read; `STORAGE` for what cannot be written.
 */
export async function recordTeacherMetadata(options: RecordingOptions): Promise<RecordingResult> {
  const { file, force, signal, mostImages } = options;
  await tryFile(file, { force });
  const teacher = await loadModel(options.teacher, options);
  options.onNotes?.(teacher.notes);
  const { onDownload } = options;
  const images = await loadImagesFor(teacher.model.graph, options.data, { split: 'train', signal, onDownload });
  const { backend, reason } = await selectBackend({ ...options, networks: [teacher.model.graph] });
  options.onBackend?.(backend.description, reason);
  try {
    const startedMs = performance.now();
    const decompose = async (matrix: Float64Array, size: number) => await decomposeAside(matrix, size, signal);
    const metadata = await recordMetadata({ backend, teacher: teacher.model, images, mostImages, signal, decompose });
    const bytes = writeMetadata(metadata, teacher.sha256);
    await createFolder(dirname(file));
    await writeFileAtomically(file, bytes);
    return {
      file,
      sizeBytes: bytes.length,
      images: metadata.images,
      layers: metadata.layers.map(({ node }) => node),
      seconds: (performance.now() - startedMs) / 1000,
    };
  } finally {
    await backend.close();
  }
}
