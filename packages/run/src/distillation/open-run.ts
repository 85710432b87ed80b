import { describeClassifier, type ImageSet, type Method, type Model } from '@dafl/core';
import { loadImagesFor } from '../data/load-images-for.ts';
import type { DownloadSettings } from '../data/mnist-files.ts';
import type { RunFolder } from '../folder/run-folder.ts';
import { describeMachine } from '../machine/machine.ts';
import { type SelectedBackend, selectBackend } from '../machine/select-backend.ts';
import { describeWidth } from '../models/describe-width.ts';
import type { FactorizationSettings } from '../models/factorize-convolutions.ts';
import { type LoadedModel, loadModel, loadStudent, type StudentSource } from '../models/load-model.ts';
import type { DistillationOptions } from '../options/distillation-options.ts';
import { assertFits } from '../recipe/fit-memory.ts';
import { fitToNetworks } from '../recipe/fit-to-networks.ts';
import { type Recipe, resolveRecipe } from '../recipe/resolve-recipe.ts';
import type { RunWarningEvent } from './run-event.ts';
import { assertExportable } from './student-exports.ts';

/** What a run is made of, whether it is run or only estimated. */
export interface OpenedRun {
  readonly student: StudentSource;
  readonly recipe: Recipe;
  readonly method: Method;
  readonly evaluation: ImageSet | undefined;
  readonly compared: Model | null;
  /** The caller closes it. */
  readonly selected: SelectedBackend;
  /** What is to be told of the networks before the first step; core has some more. */
  readonly warnings: readonly Pick<RunWarningEvent, 'code' | 'message'>[];
}

/** Options of `openRun`. */
export interface OpenRunSettings extends DownloadSettings, FactorizationSettings {
  readonly backend: DistillationOptions['backend'];
  readonly folder: RunFolder;
}

/**
 * Loads, chooses and checks all that a run needs beside its teacher. Nothing is written.
 *
 * @throws {DaflError} `USAGE`, `MODEL`, `DATA` or `OUT_OF_MEMORY` where such a run cannot be.
 */
export async function openRun(
  options: DistillationOptions,
  teacher: LoadedModel,
  { backend, folder, signal, onDownload, onFactorization }: OpenRunSettings,
): Promise<OpenedRun> {
  const { graph } = teacher.model;
  describeClassifier(graph);
  const { readStructure } = teacher;
  const student = await loadStudent(options.student, teacher.model, { readStructure, signal, onFactorization });
  assertExportable(student.graph, options, folder);
  const { recipe, startNote, note } = fitToNetworks(options, resolveRecipe(options), teacher.model, student);
  const method = await recipe.createMethod(teacher, { signal, onDownload });
  const evaluation =
    options.eval === undefined ? undefined : await loadImagesFor(graph, options.eval, { signal, onDownload });
  const compared = options.compare === undefined ? null : (await loadModel(options.compare)).model;
  const { threads, allowSoftwareGpu } = options;
  const selected = await selectBackend({ backend, threads, allowSoftwareGpu, networks: [graph, student.graph] });
  try {
    assertFits(recipe, selected.name, recipe.stepMemory(graph, student.graph), describeMachine().memoryBytes);
  } catch (error) {
    await selected.backend.close();
    throw error;
  }
  const found: readonly (readonly [RunWarningEvent['code'], string | null])[] = [
    ...teacher.notes.map((note) => ['IMPORTED_TEACHER', note] as const),
    ['WIDE_STUDENT', describeWidth(options.student, student)],
    ['RANDOM_START', startNote],
    ['SMALLER_BATCHES', note],
  ];
  const warnings = found.flatMap(([code, message]) => (message === null ? [] : [{ code, message }]));
  return { student, recipe, method, evaluation, compared, selected, warnings };
}
