/**
 * A distillation as a folder on disk: options, checkpoints that survive a kill, data sources, pictures and a report.
 *
 * @module
 */
export { AppendFile, type WriteCall } from './folder/append-file.ts';
export {
  type BenchmarkCase,
  type BenchmarkCaseName,
  benchmarkCaseNames,
  prepareCase,
  type PreparedCase,
} from './benchmark/benchmark-case.ts';
export { countStep, type StepCount, stepCountFormula } from './benchmark/count-step.ts';
export {
  createStepBenchmark,
  type MatMulPeak,
  type StepBenchmark,
  type StepLosses,
  type StepTiming,
} from './benchmark/step-benchmark.ts';
export {
  type BenchmarkRecipe,
  type BenchmarkStart,
  checkedSteps,
  type LeNetShape,
  writeBenchmarkStart,
} from './benchmark/write-benchmark-start.ts';
export { compareRuns, type RunComparison, type RunDifference } from './folder/compare-runs.ts';
export { CheckpointStore, type LoadedCheckpoint } from './folder/checkpoint-store.ts';
export { describeVerdict } from './report/describe-verdict.ts';
export { type LoadOptions, loadLabelledImages, type Split } from './data/data-source.ts';
export {
  type BackendName,
  type DistillationOptions,
  distillationOptionsSchema,
  parseDistillationOptions,
} from './options/distillation-options.ts';
export { fitImages } from './data/fit-images.ts';
export type { RunForecast } from './distillation/forecast-run.ts';
export type { HyperParameters } from './options/hyper-parameters.ts';
export {
  loadArchitecture,
  type LoadedModel,
  loadModel,
  loadStudent,
  type ModelOptions,
  type StudentSource,
} from './models/load-model.ts';
export { type ListedRun, listRuns } from './folder/list-runs.ts';
export { lowRankShare } from './options/low-rank-share.ts';
export type { MethodName } from './options/method-name.ts';
export {
  daflVersion,
  describeMachine,
  describeRuntime,
  type Machine,
  peakMemoryBytes,
  type Runtime,
} from './machine/machine.ts';
export { estimateRun, type RunEstimate } from './distillation/estimate-run.ts';
export type { DataName, Experiment, ExperimentRow, Task } from './experiments/experiment.ts';
export type { ExperimentRecord } from './experiments/experiment-record.ts';
export { experiments } from './experiments/experiments.ts';
export {
  type GauntletCell,
  type GauntletLine,
  summarizeGauntlet,
  summarizeVerdicts,
} from './experiments/summarize-gauntlet.ts';
export { renderExperimentFigure, renderGauntletFigure } from './report/experiment-figures.ts';
export type { Figure, HoverSeries } from './report/figures/figure.ts';
export { figureDocument } from './report/figures/figure-document.ts';
export { writeExperimentReport } from './report/write-experiment-report.ts';
export { writeSeedsReport } from './report/write-seeds-report.ts';
export { isRecordCurrent } from './experiments/is-record-current.ts';
export { summarizeExperiment, tableCells, tableHeads, type TableLine } from './experiments/render-table.ts';
export { type ExperimentEvent, type ExperimentSettings, runExperiment } from './experiments/run-experiment.ts';
export { type DownloadSettings, findLocalMnist, type MnistOptions } from './data/mnist-files.ts';
export { nearestName } from './options/nearest-name.ts';
export { type ImageShape, type Picture, pictureOf } from './report/figures/picture.ts';
export { type Recipe, resolveRecipe } from './recipe/resolve-recipe.ts';
export { recordTeacherMetadata, type RecordingOptions, type RecordingResult } from './metadata/record-metadata.ts';
export { runDistillation, type RunSettings } from './distillation/run-distillation.ts';
export {
  type QuantizationOutcome,
  type QuantizationSettings,
  runQuantization,
} from './quantization/run-quantization.ts';
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
export {
  runTraining,
  type TrainingEvent,
  type TrainingFiles,
  trainingFiles,
  type TrainingPreparedEvent,
  type TrainingRecord,
  type TrainingResultEvent,
  type TrainingSettings,
} from './training/run-training.ts';
export { sampleModel, type SampleModelOptions } from './samples/sample-model.ts';
export { sampleRun, type SampleRunOptions } from './samples/sample-run.ts';
export { renderSamplesImage } from './report/samples-image.ts';
export {
  backendNames,
  selectBackend,
  type SelectBackendOptions,
  type SelectedBackend,
} from './machine/select-backend.ts';
export { formatBytes, freeBytes } from './folder/storage-error.ts';
export { parseTrainingOptions, type TrainingOptions, trainingOptionsSchema } from './options/training-options.ts';
export { writeFileAtomically } from './folder/write-file-atomically.ts';
export { writeModelFiles } from './models/write-model-files.ts';
