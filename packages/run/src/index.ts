/**
 * A distillation as a folder on disk: options, checkpoints that survive a kill, data sources, pictures and a report.
 *
 * @module
 */
export { hasTestImages } from './data/class-folders.ts';
export { type LoadOptions, loadLabelledImages } from './data/load-images.ts';
export { loadImagesFor } from './data/load-images-for.ts';
export { type DownloadSettings, findLocalMnist, type MnistOptions } from './data/mnist-files.ts';
export type { Split } from './data/split.ts';
export { estimateRun, type EstimateSettings, type RunEstimate } from './distillation/estimate-run.ts';
export type { RunForecast } from './distillation/forecast-run.ts';
export { runDistillation, type RunSettings } from './distillation/run-distillation.ts';
export {
  type JsonEvent,
  type PreparedEvent,
  type RunEvent,
  type RunInterruptedEvent,
  type RunResultEvent,
  type RunSamplesEvent,
  type RunWarningEvent,
  toJsonEvent,
} from './distillation/run-event.ts';
export { AppendFile } from './folder/append-file.ts';
export { compareRuns, type RunComparison, type RunDifference } from './folder/compare-runs.ts';
export { type ListedRun, listRuns } from './folder/list-runs.ts';
export { type RunFolder, runFolder } from './folder/run-folder.ts';
export { acquireRunLock, type RunLock } from './folder/run-lock.ts';
export {
  type Configuration,
  type EvaluationRecord,
  type NetworkRecord,
  readConfiguration,
  readRunRecord,
  type RunRecord,
} from './folder/run-record.ts';
export { formatBytes, freeBytes, systemErrorCode } from './folder/storage-error.ts';
export type { TrainingRecord } from './folder/training-record.ts';
export { tryFile } from './folder/try-file.ts';
export { createFolder, writeFileAtomically } from './folder/write-file-atomically.ts';
export {
  daflVersion,
  describeMachine,
  describeRuntime,
  type Machine,
  peakMemoryBytes,
  type Runtime,
} from './machine/machine.ts';
export {
  backendNames,
  selectBackend,
  type SelectBackendOptions,
  type SelectedBackend,
} from './machine/select-backend.ts';
export { recordTeacherMetadata, type RecordingOptions, type RecordingResult } from './metadata/record-metadata.ts';
export { writeModelFiles } from './models/write-model-files.ts';
export { type DistillationOptions, parseDistillationOptions } from './options/distillation-options.ts';
export { assertEffective } from './recipe/assert-effective.ts';
export { isFormOfTeacher } from './recipe/starts-from-teacher.ts';
export { parseTrainingOptions, type TrainingOptions } from './options/training-options.ts';
export {
  type QuantizationOutcome,
  type QuantizationSettings,
  runQuantization,
} from './quantization/run-quantization.ts';
export { type Recipe, resolveRecipe } from './recipe/resolve-recipe.ts';
export { describeVerdict } from './report/describe-verdict.ts';
export { type ImageShape, type Picture, pictureOf } from './report/figures/picture.ts';
export { renderSamplesImage } from './report/samples-image.ts';
export { writeSeedsReport } from './report/write-seeds-report.ts';
export { sampleModel, type SampleModelOptions } from './samples/sample-model.ts';
export { sampleRun, type SampleRunOptions } from './samples/sample-run.ts';
export {
  runTraining,
  type TrainingEvent,
  type TrainingPreparedEvent,
  type TrainingResultEvent,
  type TrainingSettings,
} from './training/run-training.ts';
